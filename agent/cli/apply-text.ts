import type { ApplyDocument } from '../api/wire.ts';
import type { CommandContext } from './command.ts';
import { printSteps } from './steps-text.ts';

/** Writes what was done and what is left; answers no (1) where something is left. */
export function printApplied(ctx: CommandContext, { applied, left }: ApplyDocument, nothing: string): number {
  if (applied.length === 0 && left.length === 0) ctx.out(nothing);
  printSteps(ctx, applied);
  if (left.length > 0) {
    ctx.err(`agentctl: ${left.length} steps are left; see \`agentctl plan\` and \`agentctl doctor\``);
  }
  return left.length === 0 ? 0 : 1;
}
