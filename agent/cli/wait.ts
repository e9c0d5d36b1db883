import { isGood } from '../api/client.ts';
import type { StatusDocument } from '../api/wire.ts';
import { AgentError, isAgentError, messageOf } from '../core/agent-error.ts';
import type { CommandContext, Run } from './command.ts';
import { durationText } from './duration.ts';
import { durationOf, textOf } from './input.ts';

/** Milliseconds between two tries to reach an agent that is not up. */
const retryMs = 500;

/** Whether it is so, or why it never can be. */
type Goal = (status: StatusDocument) => boolean | AgentError;

/** Waits until the goal is reached; an agent that is not up yet counts as not reached. */
export const run: Run = async (ctx, input) => {
  const what = textOf(input, 'for') ?? 'ready';
  const goal = goalOf(what);
  const timeoutMs = durationOf(input, 'timeout') ?? 300_000;
  const over = new AbortController();
  const cancel = ctx.clock.after(timeoutMs, () => over.abort());
  const signal = AbortSignal.any([ctx.signal, over.signal]);
  const seen = { last: 'no answer yet' };
  try {
    for (;;) {
      if (await isReached(ctx, { goal, signal, seen })) return 0;
      await ctx.clock.sleep(retryMs, signal);
    }
  } catch (error) {
    if (ctx.signal.aborted || !over.signal.aborted) throw error;
    throw new AgentError(
      'TIMED_OUT',
      `Cannot see "${what}" within ${durationText(timeoutMs)}: last seen: ${seen.last}; see \`agentctl status\``,
      { cause: error },
    );
  } finally {
    cancel();
  }
};

interface Watching {
  readonly goal: Goal;
  readonly signal: AbortSignal;
  /** What was seen last, for the message of a wait that is over. */
  readonly seen: { last: string };
}

/** Watches until the goal is reached (true) or the stream ends or cannot be had (false). */
async function isReached(ctx: CommandContext, { goal, signal, seen }: Watching): Promise<boolean> {
  const done = new AbortController();
  let isDone = false;
  let never: AgentError | undefined;
  const stop = AbortSignal.any([signal, done.signal]);
  try {
    const reason = await ctx.client.watch((message) => {
      if (message.type === 'event') return;
      seen.last = summary(message.status);
      const answer = goal(message.status);
      if (typeof answer === 'boolean') isDone ||= answer;
      else never = answer;
      if (isDone || never !== undefined) done.abort();
    }, stop);
    seen.last = reason;
  } catch (error) {
    if (isDone) return true;
    if (never !== undefined) throw never;
    if (!isAgentError(error, 'AGENT_UNREACHABLE')) throw error;
    seen.last = messageOf(error);
  }
  if (never !== undefined) throw never;
  return isDone;
}

function goalOf(what: string): Goal {
  const [kind, name] = what.split('=', 2);
  if (what === 'ready') return (status) => status.ready;
  if (kind === 'unit' && name !== undefined && name !== '') {
    return (status) => isUnitReady(status, name);
  }
  if (kind === 'condition' && name !== undefined && name !== '') {
    return (status) => status.conditions.some((one) => one.type === name && isGood(one));
  }
  throw new AgentError('USAGE', `Cannot wait for "${what}": want ready, unit=NAME or condition=TYPE`);
}

function isUnitReady({ units }: StatusDocument, name: string): boolean | AgentError {
  const unit = units.find((one) => one.name === name);
  if (unit !== undefined) return unit.phase === 'ready';
  const names = units.map((one) => one.name).join(', ') || 'none';
  return new AgentError('UNIT_UNKNOWN', `Cannot wait for unit "${name}": there are ${names}`);
}

function summary(status: StatusDocument): string {
  const bad = status.conditions.filter((condition) => !isGood(condition));
  return bad.map(({ type, reason }) => `${type} ${reason}`).join(', ') || 'all conditions good';
}
