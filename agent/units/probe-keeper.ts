import type { Clock } from '../core/clock.ts';
import type { Health, UnitSpec } from '../core/unit-spec.ts';
import { type ProbePurpose, runProbes } from './probe-loop.ts';
import type { UnitState } from './state.ts';

/** Keeps the one probe loop going that the present state asks for. */
export class ProbeKeeper {
  readonly #spec: UnitSpec;
  readonly #clock: Clock;
  readonly #tell: (pid: number, health: Health) => void;
  #current: { readonly key: string; readonly abort: AbortController } | undefined;

  constructor(spec: UnitSpec, clock: Clock, tell: (pid: number, health: Health) => void) {
    this.#spec = spec;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Starts, changes or ends the loop after a transition. */
  follow(state: UnitState): void {
    const wanted = purposeOf(state);
    const key = wanted === undefined ? undefined : `${wanted.purpose} ${wanted.pid}`;
    if (key === this.#current?.key) return;
    this.stop();
    if (wanted === undefined || key === undefined) return;
    const abort = new AbortController();
    this.#current = { key, abort };
    const { purpose, pid } = wanted;
    const tell = (health: Health): void => this.#tell(pid, health);
    void runProbes({ spec: this.#spec, clock: this.#clock, purpose, tell }, abort.signal);
  }

  stop(): void {
    this.#current?.abort.abort();
    this.#current = undefined;
  }
}

function purposeOf(state: UnitState): { readonly purpose: ProbePurpose; readonly pid: number } | undefined {
  switch (state.phase) {
    case 'starting':
      return { purpose: 'start', pid: state.pid };
    case 'ready':
      return { purpose: 'stay', pid: state.pid };
    case 'unready':
      return { purpose: 'regain', pid: state.pid };
    case 'down':
    case 'held':
    case 'waiting':
    case 'preparing':
    case 'spawning':
    case 'stopping':
    case 'failed':
      return undefined;
  }
}
