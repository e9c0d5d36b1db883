import type { UnitState } from './state.ts';
import type { UnitPorts } from './unit-ports.ts';

const lookMs = 5_000;

/**
 * While a unit has failed for good, looks whether one of the files behind it was replaced or the wall clock was set: a
 * certificate that is over may be good again.
 */
export class CauseWatch {
  readonly #paths: readonly string[];
  readonly #ports: Pick<UnitPorts, 'clock' | 'programs'>;
  readonly #changed: () => void;
  #abort: AbortController | undefined;

  constructor(paths: readonly string[], ports: Pick<UnitPorts, 'clock' | 'programs'>, changed: () => void) {
    this.#paths = paths;
    this.#ports = ports;
    this.#changed = changed;
  }

  /** Looks only in phase `failed`. */
  follow(state: UnitState): void {
    if (state.phase !== 'failed') {
      this.stop();
    } else if (this.#abort === undefined) {
      this.#abort = new AbortController();
      void this.#look(this.#abort.signal);
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }

  async #look(signal: AbortSignal): Promise<void> {
    let known = await this.#fingerprint();
    while (!signal.aborted) {
      await this.#ports.clock.sleep(lookMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const now = await this.#fingerprint();
      if (now === known || signal.aborted) continue;
      // One try for each change: the next failure may come within the same turn, and then this look goes on.
      known = now;
      this.#changed();
    }
  }

  async #fingerprint(): Promise<string> {
    const facts = await Promise.all(
      this.#paths.map((path) =>
        this.#ports.programs.inspect(path).catch(() => ({ kind: 'absent' as const })),
      ),
    );
    const files = facts.map((fact) => ('fingerprint' in fact ? fact.fingerprint : 'absent'));
    const { clock } = this.#ports;
    const setMinutes = Math.round((clock.wallMs() - clock.nowMs()) / 60_000);
    return [setMinutes, ...files].join(' ');
  }
}
