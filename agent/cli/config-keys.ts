import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { type Cell, tableLines } from './table.ts';

/** Lists every key with its default, range and help. */
export const run: Run = async (ctx, input) => {
  const keys = await ctx.local.configKeys();
  if (hasFlag(input, 'json')) {
    printJson(ctx, keys);
    return 0;
  }
  for (const { key, allowed, default: value, help, needs } of keys) {
    const rows: (Cell | string)[][] = [
      ['', help],
      ['', `${allowed}; ${needs}`],
    ];
    ctx.out(`${ctx.style.bold(key)}: ${JSON.stringify(value)}`);
    for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
  }
  return 0;
};
