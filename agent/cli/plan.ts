import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { printSteps } from './steps-text.ts';
import { tableLines } from './table.ts';

/** Shows the steps that are due; answers no (1) where there are any. */
export const run: Run = async (ctx, input) => {
  const plan = await ctx.client.plan(ctx.signal);
  if (hasFlag(input, 'json')) printJson(ctx, plan);
  else {
    const { root, cgroup, reasons } = plan.strategy;
    const rows = [['root', root], ['cgroup', cgroup], ...reasons.map((reason) => ['', reason])];
    for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
    if (plan.steps.length === 0) ctx.out('Nothing to do');
    else printSteps(ctx, plan.steps);
  }
  return plan.steps.length === 0 ? 0 : 1;
};
