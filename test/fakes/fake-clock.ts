import type { Clock } from '../../agent/core/clock.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Options of a fake clock. */
export interface FakeClockOptions {
  /** Wall clock at the start. @default 2025-01-01T00:00:00Z */
  readonly wallMs?: number;
  /** Awaited after every timer, e.g. until real sockets are idle. @default a few turns of the event loop */
  readonly settle?: () => Promise<void>;
}

/**
 * A clock that stands still until `advance`. Timers fire in order of their time, and after each of them all promises
 * and immediates get their turn, so hours pass in no time and without a sleep.
 */
export class FakeClock implements Clock {
  readonly #settle: () => Promise<void>;
  #timers: Timer[] = [];
  #nowMs = 0;
  #wallOffsetMs: number;
  #order = 0;

  constructor(options: FakeClockOptions = {}) {
    this.#wallOffsetMs = options.wallMs ?? Date.UTC(2025, 0, 1);
    this.#settle = options.settle ?? turns;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal);
  }

  after(ms: number, callback: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order, fire: callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass; every timer that becomes due fires in its turn, also those set on the way. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await this.#settle();
    for (let next = this.#next(targetMs); next !== undefined; next = this.#next(targetMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      const { fire } = next;
      this.#timers = this.#timers.filter((other) => other !== next);
      fire();
      await this.#settle();
    }
    this.#nowMs = targetMs;
  }

  /** Sets the wall clock, as a time server does; monotonic time is not moved. */
  setWall(wallMs: number): void {
    this.#wallOffsetMs = wallMs - this.#nowMs;
  }

  /** Timers that wait. */
  pending(): number {
    return this.#timers.length;
  }

  #next(targetMs: number): Timer | undefined {
    return this.#timers
      .filter((timer) => timer.dueMs <= targetMs)
      .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
  }
}

/** `Clock.sleep` by means of `Clock.after`, for clocks that people move. */
export function sleepBy(clock: Pick<Clock, 'after'>, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** Lets promises and immediates run until they have had several turns. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await nextTurn();
}
