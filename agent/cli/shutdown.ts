import type { Run } from './command.ts';
import { durationOf, hasFlag, printJson, textOf } from './input.ts';

/** Stops everything in order; answers no (1) where something had to be killed. */
export const run: Run = async (ctx, input) => {
  const deadlineMs = durationOf(input, 'deadline') ?? 20_000;
  const order = { for: textOf(input, 'for') === 'reboot' ? 'reboot' : 'stop', deadlineMs } as const;
  const document = await ctx.client.shutdown(order, ctx.signal);
  if (hasFlag(input, 'json')) printJson(ctx, document);
  else
    ctx.out(
      document.orderly ? 'Stopped in order' : `Stopped; killed: ${document.killed.join(', ') || 'nothing'}`,
    );
  return document.orderly ? 0 : 1;
};
