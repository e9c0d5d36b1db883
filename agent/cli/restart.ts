import { AgentError, isAgentError } from '../core/agent-error.ts';
import type { CommandContext, Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { unitVerb } from './unit-verb.ts';

/** Milliseconds between two looks for the new agent, and until it counts as lost: after a third end the start script waits 4 minutes. */
const lookMs = 500;
const patienceMs = 300_000;

const restartUnit = unitVerb('restart');

/** Restarts a unit, or the agent itself. */
export const run: Run = async (ctx, input) => {
  if (input.args[0] !== 'agent') return restartUnit(ctx, input);
  const before = await ctx.client.restartAgent(ctx.signal);
  const pid = await nextAgent(ctx, before);
  if (hasFlag(input, 'json')) printJson(ctx, { pid });
  else ctx.out(`agent: restarted as pid ${pid}; its units ran on`);
  return 0;
};

async function nextAgent(
  { client, clock, signal }: CommandContext,
  before: { readonly pid: number; readonly startedAtMs: number },
): Promise<number> {
  const endMs = clock.nowMs() + patienceMs;
  while (clock.nowMs() < endMs) {
    await clock.sleep(lookMs, signal);
    const status = await client.status(signal).catch((error: unknown) => {
      if (isAgentError(error, 'AGENT_UNREACHABLE') || isAgentError(error, 'TIMED_OUT')) return undefined;
      throw error;
    });
    const { pid, startedAtMs } = status?.agent ?? before;
    if (pid !== before.pid || startedAtMs !== before.startedAtMs) return pid;
  }
  throw new AgentError(
    'TIMED_OUT',
    `Cannot see the agent come back: none answers after ${patienceMs / 1_000} s; start it with \`begetctl start_service oh_edge_agent\``,
  );
}
