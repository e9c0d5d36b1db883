import type { LeaveDocument } from '../api/wire.ts';
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
  ctx.out(verdict(document));
  for (const hint of document.hints) ctx.out(`Next: ${hint}`);
  return document.left || document.dryRun ? 0 : 1;
};

function verdict({ node, left }: LeaveDocument): string {
  if (node === undefined) {
    const what = 'This board has joined no cluster';
    return left ? `${what}; what an earlier one left behind is removed` : `${what}; nothing was changed`;
  }
  return left
    ? `Left the cluster; this board was node ${node}`
    : `Would leave as node ${node}; nothing was changed`;
}
