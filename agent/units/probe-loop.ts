import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Health, ProbeDepth, UnitPolicy, UnitSpec } from '../core/unit-spec.ts';

/** What a loop is for: the first readiness, staying well, or becoming well again. */
export type ProbePurpose = 'start' | 'stay' | 'regain';

const firstStartMs = 50;
const slowestStartMs = 1_000;
const regainMs = 2_000;
/** Milliseconds that a probe gets after its deadline to say which part was late. */
const afterDeadlineMs = 500;

/** What the loop needs. */
export interface ProbeLoopOptions {
  readonly spec: Pick<UnitSpec, 'probe' | 'policy'>;
  readonly clock: Clock;
  readonly purpose: ProbePurpose;
  readonly tell: (health: Health) => void;
}

/** Asks again and again until the signal aborts. Probes never overlap, and each has its deadline. */
export async function runProbes(options: ProbeLoopOptions, signal: AbortSignal): Promise<void> {
  const { spec, clock, purpose, tell } = options;
  const rhythm = new Rhythm(purpose, spec.policy, clock.nowMs());
  while (!signal.aborted) {
    const next = rhythm.next(clock.nowMs());
    await clock.sleep(next.delayMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const health = await ask(options, next.depth, signal);
    rhythm.hear(next.depth, health);
    if (!signal.aborted) tell(health);
  }
}

/** Which depth comes next and when. */
class Rhythm {
  readonly #purpose: ProbePurpose;
  readonly #policy: UnitPolicy;
  #lastDeepAt: number;
  #startMs = firstStartMs;

  constructor(purpose: ProbePurpose, policy: UnitPolicy, nowMs: number) {
    this.#purpose = purpose;
    this.#policy = policy;
    this.#lastDeepAt = nowMs;
  }

  next(nowMs: number): { readonly delayMs: number; readonly depth: ProbeDepth } {
    const { probeMs, deepMs } = this.#policy;
    switch (this.#purpose) {
      case 'start': {
        const delayMs = this.#startMs;
        this.#startMs = Math.min(slowestStartMs, delayMs * 1.5);
        return { delayMs, depth: 'start' };
      }
      case 'regain':
        return { delayMs: Math.min(regainMs, probeMs), depth: 'start' };
      case 'stay': {
        const isDeep = nowMs + probeMs >= this.#lastDeepAt + deepMs;
        if (isDeep) this.#lastDeepAt = nowMs + probeMs;
        return { delayMs: probeMs, depth: isDeep ? 'deep' : 'cheap' };
      }
    }
  }

  /** A deep question without an answer is put again: the kernel alone answers a cheap one for a containerd that is frozen. */
  hear(depth: ProbeDepth, { verdict }: Health): void {
    if (depth === 'deep' && verdict === 'silent') this.#lastDeepAt = -Infinity;
  }
}

async function ask(options: ProbeLoopOptions, depth: ProbeDepth, signal: AbortSignal): Promise<Health> {
  const { spec, clock } = options;
  const { probeTimeoutMs, deepTimeoutMs } = spec.policy;
  const timeoutMs = depth === 'cheap' ? probeTimeoutMs : deepTimeoutMs;
  const deadline = new AbortController();
  const give = (): void => deadline.abort(signal.reason);
  signal.addEventListener('abort', give, { once: true });
  const late: Health = {
    verdict: 'silent',
    reason: 'NotAnswering',
    message: `no answer within ${timeoutMs} ms`,
  };
  let cancelLate = (): void => undefined;
  const tooLate = new Promise<Health>((resolve) => {
    cancelLate = clock.after(timeoutMs + afterDeadlineMs, () => resolve(late));
  });
  const cancel = clock.after(timeoutMs, () => deadline.abort(new DOMException(late.message, 'TimeoutError')));
  try {
    return await Promise.race([spec.probe(depth, deadline.signal), tooLate]);
  } catch (error) {
    return { verdict: 'silent', reason: 'ProbeFailed', message: messageOf(error) };
  } finally {
    cancel();
    cancelLate();
    signal.removeEventListener('abort', give);
  }
}
