import type { Clock } from '../core/clock.ts';

/** Answers that are waited for, each under its own key and with its own deadline. */
export class Replies<T> {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, (reply: T | undefined) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that somebody waits for. */
  keys(): readonly string[] {
    return [...this.#waiting.keys()];
  }

  /** Resolves with the answer, or with undefined at the deadline or when the signal aborts. */
  wait(key: string, ms: number, signal: AbortSignal): Promise<T | undefined> {
    return new Promise((resolve) => {
      const end = (reply: T | undefined): void => {
        cancel();
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(key);
        resolve(reply);
      };
      const abort = (): void => end(undefined);
      const cancel = this.#clock.after(ms, () => end(undefined));
      this.#waiting.set(key, end);
      if (signal.aborted) end(undefined);
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Hands an answer over, or says that there will be none; false where nobody waits for it. */
  give(key: string, reply: T | undefined): boolean {
    const end = this.#waiting.get(key);
    end?.(reply);
    return end !== undefined;
  }
}
