import { explainEnd } from '../core/end-faults.ts';
import type { Ended, ProcessFacts } from '../core/process.ts';
import type { Programs, UnixSockets } from '../core/program.ts';
import { checkProgram } from '../core/program-check.ts';
import type { Fault, Health, ProbeDepth, UnitCommand, UnitPolicy, UnitSpec } from '../core/unit-spec.ts';

/** What the operator declares under the key `units`. */
export interface Declaration {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly needs: readonly string[];
  readonly stopMs: number;
  readonly startMs: number;
  readonly oomScoreAdj: number;
  /** Unix socket that accepts when the unit is ready; without one it is ready as soon as it runs. */
  readonly readySocket?: string | undefined;
}

/** What every declared unit shares. */
export interface DeclaredOptions {
  readonly restart: UnitPolicy['restart'];
  readonly programs: Programs;
  readonly sockets: UnixSockets;
  /** Environment of every unit; the declaration's own variables win. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly isInRootGroups: boolean;
}

const probeTimeoutMs = 5_000;

/** A program that the operator wants supervised beside dockerd and edgecore. */
export class DeclaredUnit implements UnitSpec {
  readonly name: string;
  readonly needs: readonly string[];
  readonly condition: string;
  readonly policy: UnitPolicy;
  readonly causes: readonly string[];
  readonly programs: readonly string[];
  readonly #declaration: Declaration;
  readonly #options: DeclaredOptions;

  constructor(declaration: Declaration, options: DeclaredOptions) {
    const [program = ''] = declaration.argv;
    this.name = declaration.name;
    this.needs = declaration.needs;
    this.condition = `${pascal(declaration.name)}Ready`;
    this.policy = policyOf(declaration, options.restart);
    this.causes = [program];
    this.programs = [program];
    this.#declaration = declaration;
    this.#options = options;
  }

  async prepare(): Promise<UnitCommand | Fault> {
    const { argv, env, cwd, oomScoreAdj } = this.#declaration;
    const { programs, isInRootGroups } = this.#options;
    const [program = '', ...args] = argv;
    const wrong = checkProgram(program, await programs.inspect(program), programs.machine);
    if (wrong !== undefined) return wrong;
    return {
      argv: [program, ...args],
      env: { ...this.#options.env(), ...env },
      cwd,
      oomScoreAdj,
      isInRootGroups,
    };
  }

  async probe(_depth: ProbeDepth): Promise<Health> {
    const { readySocket } = this.#declaration;
    if (readySocket === undefined) return { verdict: 'ready' };
    const state = await this.#options.sockets.state(readySocket, probeTimeoutMs);
    if (state === 'listening') return { verdict: 'ready' };
    return { verdict: 'silent', reason: 'NotListening', message: `Nobody accepts on "${readySocket}"` };
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    return explainEnd(ended, lines, []);
  }

  /** Any stranger may run the same program with the same arguments, so only the mark of the unit tells. */
  isInstance({ unit }: ProcessFacts): boolean {
    return unit === this.name;
  }
}

function policyOf(declaration: Declaration, restart: UnitPolicy['restart']): UnitPolicy {
  const { startMs, stopMs, readySocket } = declaration;
  // Without a probe there is nothing to ask: only the end of the process tells.
  const probeMs = readySocket === undefined ? 3_600_000 : 10_000;
  return {
    restart,
    startMs,
    quietMs: 10_000,
    stopMs,
    probeMs,
    probeTimeoutMs: probeTimeoutMs + 1_000,
    deepMs: 3_600_000,
    deepTimeoutMs: probeTimeoutMs + 1_000,
    silentLimit: 6,
  };
}

function pascal(name: string): string {
  return name.replace(/(^|-)([a-z0-9])/g, (_match, _dash: string, letter: string) => letter.toUpperCase());
}
