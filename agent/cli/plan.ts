import type { PlanDocument } from '../api/wire.ts';
import { askOrLook } from './ask-or-look.ts';
import type { CommandContext, Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { printSteps } from './steps-text.ts';
import { tableLines } from './table.ts';

/** Shows the steps that are due; answers no (1) where there are any. Looks by itself where no agent runs. */
export const run: Run = async (ctx, input) => {
  const plan = await askOrLook(ctx, () => ctx.client.plan(ctx.signal), ctx.local.plan);
  if (hasFlag(input, 'json')) printJson(ctx, plan);
  else print(ctx, plan);
  return plan.steps.length === 0 ? 0 : 1;
};

function print(ctx: CommandContext, { strategy, steps }: PlanDocument): void {
  const { root, cgroup, reasons } = strategy;
  const rows = [['root', root], ['cgroup', cgroup], ...reasons.map((reason) => ['', reason])];
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
  if (steps.length === 0) ctx.out('Nothing to do');
  else printSteps(ctx, steps);
}
