import type { StepView } from '../api/wire.ts';
import type { CommandContext } from './command.ts';
import { tableLines } from './table.ts';

/** Writes steps as a numbered list: what, and why below it. */
export function printSteps(ctx: CommandContext, steps: readonly StepView[]): void {
  const rows = steps.flatMap(({ what, why }, index) => [
    [`${index + 1}.`, what],
    ['', { text: why, paint: ctx.style.dim }],
  ]);
  for (const line of tableLines(rows, ctx.columns)) ctx.out(line);
}
