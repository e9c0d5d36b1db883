import type { Run } from './command.ts';
import { finishUpdate } from './update-text.ts';

/** Goes back to the part that was there before. */
export const run: Run = async (ctx, input) => {
  const part = input.args[0] ?? '';
  return finishUpdate(ctx, input, await ctx.client.rollbackPart(part, ctx.signal));
};
