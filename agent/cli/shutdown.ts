import type { Run } from './command.ts';
import { durationOf, hasFlag, printJson, textOf } from './input.ts';

/** What the units get however late it is. */
const leastMs = 1_000;

/**
 * Stops everything in order; answers no (1) where something had to be killed. The deadline counts from when this was called:
 * init waits for the whole of it, and on a busy board the start of this program takes seconds.
 */
export const run: Run = async (ctx, input) => {
  const wishedMs = durationOf(input, 'deadline') ?? 20_000;
  const deadlineMs = Math.max(Math.min(wishedMs, leastMs), wishedMs - ctx.local.ageMs());
  const order = { for: textOf(input, 'for') === 'reboot' ? 'reboot' : 'stop', deadlineMs } as const;
  const document = await ctx.client.shutdown(order, ctx.signal);
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else
    ctx.out(
      document.orderly ? 'Stopped in order' : `Stopped; killed: ${document.killed.join(', ') || 'nothing'}`,
    );
  return document.orderly ? 0 : 1;
};
