import type { Result } from './result.ts';

const head = ['what', 'agent', 'q1 – q3', 'n', 'reference', 'its value', 'ratio', 'goal', ''];

/** The results as text columns, one group below the other. */
export function renderTable(results: readonly Result[]): string {
  const rows = results.map(cells);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const lines: string[] = [];
  let group = '';
  for (const [index, result] of results.entries()) {
    if (result.group !== group) {
      group = result.group;
      lines.push('', `[${group}]`, line(head, widths));
    }
    lines.push(line(rows[index]!, widths));
  }
  return lines.join('\n').trimStart();
}

function cells(result: Result): readonly string[] {
  const { spread, reference, ratio, ok } = result;
  return [
    result.name,
    `${number(result.value)} ${result.unit}`,
    spread.n > 1 ? `${number(spread.q1)} – ${number(spread.q3)}` : '',
    String(spread.n),
    reference?.name ?? '',
    reference === null ? '' : number(reference.value),
    ratio === null ? '' : `${number(ratio)} ×`,
    result.goal ?? '',
    ok === null ? '' : ok ? 'ok' : 'MISSED',
  ];
}

function line(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((text, column) => text.padEnd(widths[column]!))
    .join('  ')
    .trimEnd();
}

/** Three significant digits, without an exponent. */
function number(value: number): string {
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}
