import { printApplied } from './apply-text.ts';
import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { run as plan } from './plan.ts';

/** Does the steps of the plan now, or only shows them. */
export const run: Run = async (ctx, input) => {
  if (hasFlag(input, 'dryRun')) return plan(ctx, input);
  const document = await ctx.client.apply(ctx.signal);
  if (!hasFlag(input, 'json')) return printApplied(ctx, document, 'Nothing to do');
  printJson(ctx, document);
  return document.left.length === 0 ? 0 : 1;
};
