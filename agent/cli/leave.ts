import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { printSteps } from './steps-text.ts';

/** Leaves the cluster and says what is left to do in the cloud. */
export const run: Run = async (ctx, input) => {
  const order = {
    removePods: !hasFlag(input, 'keepPods'),
    removeImages: hasFlag(input, 'removeImages'),
    dryRun: hasFlag(input, 'dryRun'),
  };
  const document = await ctx.client.leave(order, ctx.signal);
  if (hasFlag(input, 'json')) {
    printJson(ctx, document);
    return document.left || document.dryRun ? 0 : 1;
  }
  printSteps(ctx, document.steps);
  const name = document.node ?? 'no cluster';
  ctx.out(document.left ? `Left; this board was ${name}` : `Would leave ${name}; nothing was changed`);
  for (const hint of document.hints) ctx.out(`Next: ${hint}`);
  return document.left || document.dryRun ? 0 : 1;
};
