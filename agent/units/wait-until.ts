import { AgentError } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';

/** What a wait depends on. */
export interface Wait {
  readonly clock: Clock;
  /** Calls back after each change; the returned function ends that. */
  readonly watch: (listener: () => void) => () => void;
  readonly isTrue: () => boolean;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Sentence for the error when time is over. */
  readonly late?: () => string;
}

/** Resolves as soon as something is true; rejects with TIMED_OUT when time is over, or with the signal's reason. */
export function waitUntil(wait: Wait): Promise<void> {
  const { clock, watch, isTrue, timeoutMs, signal, late } = wait;
  return new Promise((resolve, reject) => {
    if (isTrue()) {
      resolve();
      return;
    }
    const done = (act: () => void): void => {
      endWatch();
      cancel();
      signal?.removeEventListener('abort', abort);
      act();
    };
    const abort = (): void => done(() => reject(signal?.reason as Error));
    const endWatch = watch(() => {
      if (isTrue()) done(resolve);
    });
    const cancel = clock.after(timeoutMs, () => {
      done(() => reject(new AgentError('TIMED_OUT', late?.() ?? 'Cannot wait any longer')));
    });
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
  });
}
