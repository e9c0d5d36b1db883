import { isAgentError } from '../core/agent-error.ts';
import type { CommandContext } from './command.ts';

/** The agent's answer; where no agent runs, what this program finds by itself, and it says so. */
export async function askOrLook<T>(
  ctx: CommandContext,
  ask: () => Promise<T>,
  look: ((signal: AbortSignal) => Promise<T>) | undefined,
): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isAgentError(error, 'AGENT_UNREACHABLE') || look === undefined) throw error;
    ctx.err(`agentctl: ${error.message}`);
    ctx.err('agentctl: looking at the board without the agent');
    return look(ctx.signal);
  }
}
