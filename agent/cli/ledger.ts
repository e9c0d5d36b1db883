import type { Run } from './command.ts';
import { countOf, hasFlag, printJson } from './input.ts';
import { type Cell, tableLines } from './table.ts';

/** Shows the newest records of the ledger, oldest first, each with its evidence. */
export const run: Run = async (ctx, input) => {
  const n = countOf(input, 'lines', 1_000) ?? 20;
  const after = countOf(input, 'after', Number.MAX_SAFE_INTEGER) ?? 0;
  const document = await ctx.client.ledger({ after, n }, ctx.signal);
  if (hasFlag(input, 'json')) {
    printJson(ctx, document);
    return 0;
  }
  const { dim } = ctx.style;
  const rows = document.records.flatMap((record): (Cell | string)[][] => [
    [
      String(record.sequence),
      { text: ctx.time(record.atMs), paint: dim },
      record.kind,
      record.subject,
      `${record.reason}: ${record.message}`,
    ],
    ...(record.evidence ?? []).map((line): (Cell | string)[] => ['', '', '', '', { text: line, paint: dim }]),
  ]);
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
  return 0;
};
