import type { StatusDocument, WatchMessage } from '../api/wire.ts';
import { AgentError } from '../core/agent-error.ts';
import type { CommandContext, Run } from './command.ts';
import { hasFlag, printJson } from './input.ts';
import { statusLines } from './status-text.ts';

/** Shows the state once or at every change. */
export const run: Run = async (ctx, input) => {
  const isJson = hasFlag(input, 'json');
  if (hasFlag(input, 'watch')) return watch(ctx, isJson);
  const status = await ctx.client.status(ctx.signal);
  if (isJson) printJson(ctx, status);
  else print(ctx, status);
  return status.ready ? 0 : 1;
};

function print(ctx: CommandContext, status: StatusDocument): void {
  const { style, columns, clock } = ctx;
  for (const line of statusLines(status, { style, columns, nowMs: clock.wallMs() })) ctx.out(line);
}

async function watch(ctx: CommandContext, isJson: boolean): Promise<number> {
  const show = (message: WatchMessage): void => {
    if (isJson) printJson(ctx, message);
    else if (message.type !== 'event') {
      ctx.out(ctx.isTerminal ? '\u001B[H\u001B[2J' : '');
      print(ctx, message.status);
    }
  };
  const reason = await ctx.client.watch(show, ctx.signal);
  throw new AgentError(
    'AGENT_UNREACHABLE',
    `Cannot watch any longer: ${reason}; start again with \`agentctl wait && agentctl status --watch\``,
  );
}
