import { explainEnd } from '../../agent/core/end-faults.ts';
import type { Ended, ProcessFacts } from '../../agent/core/process.ts';
import type {
  Fault,
  Health,
  ProbeDepth,
  UnitCommand,
  UnitPolicy,
  UnitSpec,
} from '../../agent/core/unit-spec.ts';

/** A policy with round numbers. */
export const fakePolicy: UnitPolicy = {
  restart: {
    floorMs: 1_000,
    ceilingMs: 60_000,
    stableMs: 10_000,
    loopFailures: 4,
    permanentMs: 3_600_000,
  },
  startMs: 30_000,
  quietMs: 5_000,
  stopMs: 5_000,
  probeMs: 1_000,
  probeTimeoutMs: 1_000,
  deepMs: 5_000,
  deepTimeoutMs: 2_000,
  silentLimit: 3,
};

/** A unit whose answers a test sets. */
export class FakeUnit implements UnitSpec {
  readonly name: string;
  readonly needs: readonly string[];
  readonly condition: string;
  readonly policy: UnitPolicy;
  readonly causes: readonly string[];
  readonly programs: readonly string[];
  /** What every probe answers; `hang` never answers. */
  health: Health | 'hang' = { verdict: 'ready' };
  /** What the next preparations give instead of a command. */
  fault: Fault | undefined;
  /** Depths asked so far. */
  readonly asked: ProbeDepth[] = [];
  prepared = 0;

  constructor(name: string, options: { needs?: readonly string[]; policy?: Partial<UnitPolicy> } = {}) {
    this.name = name;
    this.needs = options.needs ?? [];
    this.condition = `${name.charAt(0).toUpperCase()}${name.slice(1)}Ready`;
    this.policy = { ...fakePolicy, ...options.policy };
    this.programs = [`/bin/${name}`];
    this.causes = this.programs;
  }

  async prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    await Promise.resolve();
    signal.throwIfAborted();
    this.prepared += 1;
    return this.fault ?? { argv: [`/bin/${this.name}`, '--serve'], env: {}, cwd: '/' };
  }

  probe(depth: ProbeDepth): Promise<Health> {
    this.asked.push(depth);
    return this.health === 'hang' ? new Promise(() => undefined) : Promise.resolve(this.health);
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    return explainEnd(ended, lines, []);
  }

  isInstance(facts: ProcessFacts): boolean {
    return facts.argv.includes('--serve');
  }
}
