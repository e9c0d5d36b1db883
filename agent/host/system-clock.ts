import type { Clock } from '../core/clock.ts';

/** Longest delay that setTimeout keeps, in milliseconds. */
const maxTimerMs = 2_147_483_647;

/** The machine's own clocks. */
export class SystemClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  nowMs(): number {
    // Not performance.now(): the first use of it loads a module that nothing else at the start needs.
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000 + nanoseconds / 1e6;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
        Math.min(ms, maxTimerMs),
      );
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, Math.min(ms, maxTimerMs));
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** Chance from the platform's generator; not for secrets. */
export function systemRandom(): number {
  return Math.random();
}
