import type { Run } from './command.ts';
import { fieldsText } from './fields-text.ts';
import { countOf, hasFlag, printJson } from './input.ts';
import { type Cell, tableLines } from './table.ts';

/** Shows the remembered events, oldest first. */
export const run: Run = async (ctx, input) => {
  const after = countOf(input, 'after', Number.MAX_SAFE_INTEGER) ?? 0;
  const document = await ctx.client.events(after, ctx.signal);
  if (hasFlag(input, 'json')) {
    printJson(ctx, document);
    return 0;
  }
  const rows = document.events.map(({ sequence, atMs, event, fields }): (Cell | string)[] => [
    String(sequence),
    { text: ctx.time(atMs), paint: ctx.style.dim },
    event,
    fieldsText(fields),
  ]);
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
  return 0;
};
