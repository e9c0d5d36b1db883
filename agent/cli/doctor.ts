import type { DoctorDocument, Finding, Severity } from '../api/wire.ts';
import { askOrLook } from './ask-or-look.ts';
import type { CommandContext, Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import type { Style } from './style.ts';
import { tableLines } from './table.ts';

const order: readonly Severity[] = ['error', 'warning', 'info', 'ok'];

/** Shows the findings, worst first; looks by itself where no agent runs. */
export const run: Run = async (ctx, input) => {
  const doctor = await askOrLook(ctx, () => ctx.client.doctor(ctx.signal), ctx.local.doctor);
  if (hasFlag(input, 'json')) printJson(ctx, doctor);
  else print(ctx, doctor, hasFlag(input, 'all'));
  const isBad = doctor.worst === 'error' || (hasFlag(input, 'strict') && doctor.worst === 'warning');
  return isBad ? 1 : 0;
};

function print(ctx: CommandContext, { findings }: DoctorDocument, isAll: boolean): void {
  const shown = order.flatMap((severity) =>
    findings.filter((finding) => finding.severity === severity && (isAll || severity !== 'ok')),
  );
  for (const line of shown.flatMap((finding) => findingLines(ctx, finding))) ctx.out(line);
  const counts = order.map(
    (severity) => `${findings.filter((one) => one.severity === severity).length} ${severity}`,
  );
  ctx.out(`${findings.length} checks: ${counts.join(', ')}`);
}

function findingLines({ style, columns }: CommandContext, finding: Finding): string[] {
  const { severity, title, id, seen, wanted, why, fix } = finding;
  const head = { text: severity, paint: paintOf(severity, style) };
  if (severity === 'ok') return tableLines([[head, { text: `${title} (${id})` }]], columns);
  const rows = [
    // Titles say what should be so.
    [head, { text: `Failed: ${title} (${id})`, paint: style.bold }],
    ['', `seen: ${seen}`],
    ['', `wanted: ${wanted}`],
    ...(why === '' ? [] : [['', `why: ${why}`]]),
    ...(fix === '' ? [] : [['', `fix: ${fix}`]]),
  ];
  return [...tableLines(rows, columns), ''];
}

function paintOf(severity: Severity, style: Style): (text: string) => string {
  const paints = { error: style.bad, warning: style.warn, info: style.dim, ok: style.good };
  return paints[severity];
}
