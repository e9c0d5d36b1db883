import { printApplied } from './apply-text.ts';
import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';

/** Takes the ground work back. */
export const run: Run = async (ctx, input) => {
  const document = await ctx.client.undo(ctx.signal);
  if (!hasFlag(input, 'json')) return printApplied(ctx, document, 'Nothing to take back');
  printJson(ctx, document);
  return document.left.length === 0 ? 0 : 1;
};
