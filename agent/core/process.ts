/** How a process went. The first reason wins and is never rewritten. */
export type Ended =
  | { readonly how: 'exited'; readonly code: number }
  | { readonly how: 'signalled'; readonly signal: string }
  /** The kernel refused to run it; nothing ever ran. */
  | { readonly how: 'spawn-failed'; readonly errno: string }
  /** It is gone, but it was no child of ours, so nobody can know its exit status. */
  | { readonly how: 'unknown' };

/** What makes a process the same one for ever: a pid alone is recycled, a boot id alone too. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: start time in clock ticks since boot. */
  readonly startTicks: number;
  /** /proc/sys/kernel/random/boot_id. */
  readonly bootId: string;
  /** Absolute path of the program it was started from. */
  readonly exe: string;
}

/** What /proc says about one process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parentPid: number;
  /** One letter of /proc/PID/stat: R, S, D, T, Z … */
  readonly state: string;
  readonly startTicks: number;
  /** Target of /proc/PID/exe without ` (deleted)`; undefined for kernel threads, zombies and where it may not be read. */
  readonly exe: string | undefined;
  /** First 32 characters or so of the program's name; readable for zombies too. */
  readonly name: string;
  readonly argv: readonly string[];
  /** Unit that it was started as, from its environment; told by `findByProgram` only. */
  readonly unit?: string | undefined;
}

/** Variable in the environment of every unit that holds the unit's name: it tells a unit without a record from a stranger. */
export const unitMark = 'OH_EDGE_AGENT_UNIT';

/** Descriptors that a child gets as its standard output and error. */
export interface OutputDescriptors {
  readonly out: number;
  readonly err: number;
}

/** Everything that a child gets; nothing is inherited by accident. */
export interface SpawnSpec {
  /** argv[0] is an absolute path: no look-up, no shell. */
  readonly argv: readonly [string, ...string[]];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly output: OutputDescriptors;
  /** Written to /proc/PID/oom_score_adj right after the start; a refusal is no reason not to run. @default 0 */
  readonly oomScoreAdj?: number;
  /** Whether it must sit in the root group of every cgroup hierarchy, as runc and the kubelet expect of all units alike. */
  readonly isInRootGroups?: boolean;
}

/** A living process, a child of ours or adopted. */
export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** Whether an earlier agent started it: its exit status will be unknown. */
  readonly isAdopted: boolean;
  /** Resolves once, at most 100 ms after its end for an adopted one; never rejects and never keeps the agent alive. */
  readonly ended: Promise<Ended>;
  /** Sends a signal to this one process, never to its group: shims and containers are in there. False where it is gone. */
  signal(signal: NodeJS.Signals): boolean;
}

/** Result of a spawn: running, or the errno word of the refusal. */
export type SpawnResult =
  | { readonly ok: true; readonly process: RunningProcess }
  | { readonly ok: false; readonly errno: string };

/** Starts, finds and watches long-lived processes. */
export interface Processes {
  /** Starts a program in a session of its own, so that it outlives the agent. */
  spawn(spec: SpawnSpec): Promise<SpawnResult>;
  /** Takes over a process where pid, start time and boot are still the recorded ones; undefined otherwise. */
  adopt(identity: ProcessIdentity): Promise<RunningProcess | undefined>;
  /** What /proc says now; undefined where there is no such process. Rejects where nobody can tell just now. */
  facts(pid: number): Promise<ProcessFacts | undefined>;
  /** All living processes that run one of these absolute paths, as a program or as a script; zombies are not among them. */
  findByProgram(paths: readonly string[]): Promise<readonly ProcessFacts[]>;
  /** Living children of a process. */
  childrenOf(pid: number): Promise<readonly ProcessFacts[]>;
  /** Sends a signal to a process that is no unit, after its start time was compared. False where it is gone. */
  signal(target: Pick<ProcessIdentity, 'pid' | 'startTicks'>, signal: NodeJS.Signals): Promise<boolean>;
  /** Identity for a process found by `findByProgram`. */
  identify(facts: ProcessFacts, exe: string): Promise<ProcessIdentity>;
  /** A few lines about a process for the record before it is killed: state, threads in D, wait channel, descriptors. */
  describe(pid: number): Promise<readonly string[]>;
}
