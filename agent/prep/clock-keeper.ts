import { isAbort, messageOf } from '../core/agent-error.ts';
import { backoffDelay } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { earliestTimeMs } from '../core/constants.ts';
import type { GroundExecutor } from '../core/ground.ts';
import type { Log } from '../core/log.ts';
import type { TimeSource } from '../core/time-source.ts';
import type { HealthBoard } from '../health/board.ts';
import { latestTimeMs } from './ground-conditions.ts';

/** What the clock keeper works with. */
export interface ClockParts {
  readonly clock: Clock;
  readonly executor: GroundExecutor;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly time: TimeSource;
  /** Addresses to ask, asked for anew each time: the cloud's is known only after joining. */
  readonly sources: () => readonly string[];
}

const retry = { floorMs: 5_000, ceilingMs: 300_000 };

/**
 * Sets a clock that was never set: a board without RTC battery wakes in 1970, and TLS is useless before somebody tells it
 * the time. The time comes from the Date header of the configured servers and only ever moves forward; a clock that
 * shows a possible time belongs to the system's own time service and is left alone.
 */
export class ClockKeeper {
  readonly #parts: ClockParts;

  constructor(parts: ClockParts) {
    this.#parts = parts;
  }

  /** Resolves once the clock shows a possible time, or when the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    for (let tries = 1; clock.wallMs() < earliestTimeMs && !signal.aborted; tries += 1) {
      if (await this.#setFromSources(signal)) return;
      await clock.sleep(backoffDelay(tries, retry, 1), signal).catch(() => undefined);
    }
  }

  /** What cannot be done with one source, or now, may be possible with another one, or later: without the time a board is lost. */
  async #setFromSources(signal: AbortSignal): Promise<boolean> {
    const { log, sources } = this.#parts;
    for (const source of sources()) {
      try {
        if (await this.#setFrom(source, signal)) return true;
      } catch (error) {
        if (isAbort(error)) return false;
        log.warn('clock.failed', { source, message: messageOf(error) });
      }
    }
    return false;
  }

  async #setFrom(source: string, signal: AbortSignal): Promise<boolean> {
    const { clock, executor, time, board, log } = this.#parts;
    const wallMs = await time.dateOf(source);
    if (wallMs === undefined || wallMs < earliestTimeMs || wallMs > latestTimeMs) return false;
    const fields = { source, fromMs: clock.wallMs(), toMs: wallMs };
    await executor.execute(
      {
        kind: 'set-clock',
        id: 'clock',
        what: `set the clock to what ${source} says`,
        why: 'It was never set, and every certificate looks not yet valid.',
        wallMs,
      },
      signal,
    );
    log.info('clock.set', fields);
    board.record('clock.set', fields);
    board.set('ClockSynced', 'true', {
      reason: 'TakenFromServer',
      message: `The clock was set from ${source}`,
    });
    return true;
  }
}
