import type { SelftestStep } from '../api/wire.ts';
import type { CommandContext, Run } from './command.ts';
import { durationText } from './duration.ts';
import { hasFlag, printJson, textOf } from './input.ts';
import { type Cell, tableLines } from './table.ts';

/** Runs the container ladder and shows each rung; answers no (1) where one broke. */
export const run: Run = async (ctx, input) => {
  const dnsName = textOf(input, 'dns');
  const egress = textOf(input, 'egress');
  const document = await ctx.client.selftest(
    {
      ...(dnsName === undefined ? {} : { dnsName }),
      ...(egress === undefined ? {} : { egress }),
      ...(hasFlag(input, 'publish') ? { publish: true } : {}),
    },
    ctx.signal,
  );
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else print(ctx, document.steps);
  return document.ok ? 0 : 1;
};

function print(ctx: CommandContext, steps: readonly SelftestStep[]): void {
  const rows = steps.flatMap((step) => stepRows(ctx, step));
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
}

function stepRows({ style }: CommandContext, step: SelftestStep): (Cell | string)[][] {
  const { name, ok, durationMs, output, fault } = step;
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const result: Cell = ok ? { text: 'ok', paint: style.good } : { text: 'FAILED', paint: style.bad };
  const [first = '', ...more] = lines;
  return [
    [name, result, durationText(durationMs), first],
    ...more.map((line) => ['', '', '', line]),
    ...(fault === undefined
      ? []
      : [['', '', '', { text: `${fault.reason}: ${fault.message}`, paint: style.bad }]]),
  ];
}
