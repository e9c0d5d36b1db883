import type { Clock } from '../core/clock.ts';

/** Wakes one sleeper. A ring while nobody sleeps is kept for the next one, so that no news is slept through. */
export class Bell {
  readonly #clock: Clock;
  #isRung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves after `ms`, or at once when the bell rings or the signal aborts; reports whether it rang. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isRung && !signal.aborted) await this.#sleep(ms, signal);
    const isRung = this.#isRung;
    this.#isRung = false;
    return isRung;
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const cancel = Number.isFinite(ms) ? this.#clock.after(ms, () => wake()) : () => undefined;
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }
}
