import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';

/** Throws when something on the board is not as it should be; all that differs is in the message. */
export function expectEqual(what: string, found: unknown, wanted: unknown): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new AgentError('TOOL_FAILED', `${what}: found ${a}, want ${b}`);
}

/** Asks again until the answer is true; throws TIMED_OUT with the last answer's text. */
export async function eventually(
  what: string,
  withinMs: number,
  ask: () => Promise<string | true>,
): Promise<void> {
  const end = performance.now() + withinMs;
  let last: string | true = 'nothing was asked';
  while (performance.now() < end) {
    last = await ask();
    if (last === true) return;
    await sleep(500);
  }
  throw new AgentError('TIMED_OUT', `${what}: not within ${withinMs / 1000} s, last seen: ${last}`);
}
