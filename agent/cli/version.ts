import { isAgentError } from '../core/agent-error.ts';
import type { Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';

/** Shows both versions; an agent that does not run is said, not failed for. */
export const run: Run = async (ctx, input) => {
  const agent = await ctx.client.version(ctx.signal).catch((error: unknown) => {
    if (isAgentError(error, 'AGENT_UNREACHABLE')) return undefined;
    throw error;
  });
  if (hasFlag(input, 'json')) {
    printJson(ctx, { agentctl: ctx.version, agent: agent ?? null });
    return 0;
  }
  ctx.out(`agentctl ${ctx.version}`);
  if (agent === undefined) ctx.out('agent    not reachable');
  else
    ctx.out(
      `agent    ${agent.version} (wire ${agent.wire}, node ${agent.node}, ${agent.platform} ${agent.arch})`,
    );
  if (agent !== undefined && agent.version !== ctx.version) {
    ctx.err('agentctl: the versions differ; restart the agent with `agentctl restart agent`');
  }
  return 0;
};
