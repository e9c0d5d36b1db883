import type { BackoffPolicy } from './backoff.ts';
import type { Ended, ProcessFacts, ProcessIdentity } from './process.ts';

/** A PascalCase word for programs and a sentence for people that ends with the fix. */
export interface Note {
  readonly reason: string;
  readonly message: string;
}

/** Why a unit cannot run or has ended. */
export interface Fault extends Note {
  /** Whether trying again is useless until the program or its configuration changes. */
  readonly isPermanent: boolean;
}

/**
 * Answer of one probe. `alive`: it answers, more was not asked. `unready`: it answers, but may not be given work; such a unit is never killed, while it starts not either if `hasStarted` says that
 * the start itself is over and something outside is missing. `silent`: no answer
 * within the deadline; enough of these in a row mean that it hangs.
 */
export type Health =
  | { readonly verdict: 'ready' }
  | { readonly verdict: 'alive' }
  | ({ readonly verdict: 'unready'; readonly hasStarted?: true } & Note)
  | ({ readonly verdict: 'silent' } & Note);

/**
 * How far a probe asks. `start`: may it be given work (while it starts, and while it is unready); `cheap`: does it answer
 * at all; `deep`: do the parts behind it answer too.
 */
export type ProbeDepth = 'start' | 'cheap' | 'deep';

/** Times and counts of one unit; all times in milliseconds. */
export interface UnitPolicy {
  /** Delays between restarts; the first restart is immediate. */
  readonly restart: BackoffPolicy & {
    /** Time in ready after which earlier failures are forgotten. */
    readonly stableMs: number;
    /** Failures in a row that make a crash loop; then the ceiling is the delay. */
    readonly loopFailures: number;
    /** Delay after a permanent fault, for the case that nobody can see its cause change. */
    readonly permanentMs: number;
  };
  /** From spawn to ready; afterwards a unit that is also quiet counts as hung. */
  readonly startMs: number;
  /** A start that still prints something within this time is progress and goes on, up to four times `startMs`. */
  readonly quietMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number;
  /** Between two cheap probes, and how long one may take. */
  readonly probeMs: number;
  readonly probeTimeoutMs: number;
  /** Between two deep probes, and how long one may take. */
  readonly deepMs: number;
  readonly deepTimeoutMs: number;
  /** Silent probes in a row after which the unit counts as hung. */
  readonly silentLimit: number;
  /** Time in unready after which `aid` is asked, then again after pauses that double; without it `aid` is never asked. */
  readonly aidMs?: number;
}

/** What is started. */
export interface UnitCommand {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly oomScoreAdj?: number;
  readonly isInRootGroups?: boolean;
}

/** One supervised program: data, and the few questions that only it can answer. */
export interface UnitSpec {
  readonly name: string;
  /** Units that must be ready before this one is started. */
  readonly needs: readonly string[];
  /** Its condition on the board, e.g. `DockerReady`. */
  readonly condition: string;
  readonly policy: UnitPolicy;
  /** Programs and files whose replacement ends a permanent fault. */
  readonly causes: readonly string[];
  /** Programs that a running instance may have as its /proc/PID/exe. */
  readonly programs: readonly string[];
  /** Why there is nothing to do at present, e.g. for edgecore on a board that has joined no cluster: it is not started then and has no condition. */
  dormancy?(): Note | undefined;
  /**
   * Makes the ground ready for one start: generated files, leftovers of an earlier run, known corruptions. Returns what is
   * to be started, or the fault that makes a start useless now.
   */
  prepare(signal: AbortSignal): Promise<UnitCommand | Fault>;
  /** One bounded question; the signal aborts at its deadline. A rejection counts as silent. */
  probe(depth: ProbeDepth, signal: AbortSignal): Promise<Health>;
  /** Names the fault behind an end from its last lines. */
  explain(ended: Ended, lines: readonly string[]): Fault;
  /** Reports whether a running process is this unit, for one that has no record. */
  isInstance(facts: ProcessFacts): boolean;
  /** Makes the process leave evidence of why it hangs (a stack dump) before it is stopped; returns lines for the record. */
  gatherEvidence?(target: ProcessIdentity, signal: AbortSignal): Promise<readonly string[]>;
  /** Tries to cure what makes the unit unready, without ending it where that can be, and returns what was done; empty where nothing can be. */
  aid?(note: Note, target: ProcessIdentity, signal: AbortSignal): Promise<readonly string[]>;
  /** Does what must happen before SIGTERM when the machine goes down, within `budgetMs`; then the signal aborts. */
  beforeShutdown?(budgetMs: number, signal: AbortSignal): Promise<void>;
}

/** Tells a command from a fault. */
export function isFault(value: UnitCommand | Fault): value is Fault {
  return 'reason' in value;
}
