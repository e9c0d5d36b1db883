import type { Inventory, Sample } from '../core/samples.ts';
import type { AgentEvent, Condition } from '../health/condition.ts';
import type { LedgerRecord } from '../health/ledger.ts';

/** Version of the wire: paths begin with /v1; a field is added freely, never changed or removed. */
export const wireVersion = 1;

/** Phase of a unit. `unready`: was ready and still runs; `waiting`: backoff before the next try, or a need is not ready; `failed`: crash loop or permanent fault, retried slowly or when the cause changes. */
export type UnitPhase = 'down' | 'starting' | 'ready' | 'unready' | 'stopping' | 'waiting' | 'failed';

/** One supervised unit as everybody outside sees it. Times are wall-clock milliseconds. */
export interface UnitStatus {
  readonly name: string;
  readonly wanted: 'up' | 'down';
  readonly phase: UnitPhase;
  /** PascalCase word for the phase, e.g. `CrashLoop`, `ProbeFailed`, `WaitingForDockerd`. */
  readonly reason: string;
  readonly message: string;
  readonly pid?: number;
  /** Whether this process was started by an earlier agent. */
  readonly adopted?: boolean;
  readonly sinceMs: number;
  readonly retryAtMs?: number;
  /** Failures in a row. */
  readonly failures: number;
  /** Starts since the agent runs, adoptions not counted. */
  readonly starts: number;
  readonly lastEnd?: { readonly atMs: number; readonly how: string; readonly lines: readonly string[] };
  /** Bytes of its output that were not kept since the agent runs, because the disk was full or too slow; absent where there are none. */
  readonly droppedBytes?: number;
}

/** The agent that is about to end. */
export interface RestartDocument {
  readonly pid: number;
  readonly startedAtMs: number;
}

/** One step of the ground work as plain data; `why` is a sentence. */
export interface StepView {
  readonly id: string;
  readonly kind: string;
  readonly what: string;
  readonly why: string;
}

/** Result of comparing desired with observed. No steps means no drift. */
export interface PlanDocument {
  readonly strategy: { readonly root: string; readonly cgroup: string; readonly reasons: readonly string[] };
  readonly steps: readonly StepView[];
}

/** State of the ground work. */
export interface PrepStatus {
  readonly strategy: PlanDocument['strategy'] | undefined;
  readonly isPrepared: boolean;
  /** Steps applied after the first complete preparation, i.e. repaired drift. */
  readonly repairs: number;
  readonly lastRepair?: { readonly atMs: number; readonly what: string };
}

/** GET /v1/status. */
export interface StatusDocument {
  readonly wire: number;
  readonly agent: {
    readonly version: string;
    readonly pid: number;
    readonly startedAtMs: number;
    readonly uptimeMs: number;
    readonly node: string;
    readonly runtime: string;
    readonly platform: string;
    readonly arch: string;
    readonly bootId: string;
    readonly memoryBytes: number;
    readonly configProblems: readonly string[];
  };
  readonly ready: boolean;
  readonly conditions: readonly Condition[];
  readonly units: readonly UnitStatus[];
  readonly prep: PrepStatus;
  /** What the board has joined. */
  readonly edge?: EdgeDocument;
  readonly sequence: number;
}

/** How bad a finding is; the exit code of doctor follows the worst. */
export type Severity = 'ok' | 'info' | 'warning' | 'error';

/** One check of doctor. */
export interface Finding {
  /** Stable id, e.g. `kernel.overlay`. */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly seen: string;
  readonly wanted: string;
  /** Which failure a user would see. */
  readonly why: string;
  /** What to do, as a command where there is one. */
  readonly fix: string;
}

/** GET /v1/doctor and `agentctl doctor --json`. */
export interface DoctorDocument {
  readonly worst: Severity;
  readonly findings: readonly Finding[];
}

/** One rung of the container ladder. */
export interface SelftestStep {
  readonly name: string;
  readonly ok: boolean;
  readonly durationMs: number;
  /** What the container printed, or what was read. */
  readonly output: string;
  /** Fault class and fix where the rung broke. */
  readonly fault?: { readonly reason: string; readonly message: string };
}

/** POST /v1/selftest. */
export interface SelftestDocument {
  readonly ok: boolean;
  readonly steps: readonly SelftestStep[];
}

/** One captured line of a unit or of the agent itself. */
export interface LogLine {
  readonly atMs: number;
  readonly unit: string;
  readonly stream: 'out' | 'err' | 'agent';
  readonly text: string;
}

/** Every error answer. */
export interface ErrorDocument {
  readonly error: { readonly code: string; readonly message: string };
}

/** One message of the WebSocket /v1/watch: the snapshot first, then changes. */
export type WatchMessage =
  | { readonly type: 'snapshot'; readonly status: StatusDocument }
  | { readonly type: 'event'; readonly event: AgentEvent }
  | { readonly type: 'status'; readonly status: StatusDocument };

/** Answer of POST /v1/apply and /v1/undo: what was done now. */
export interface ApplyDocument {
  readonly applied: readonly StepView[];
  /** What still differs afterwards; empty where everything is as wanted. */
  readonly left: readonly StepView[];
}

/** GET /v1/version. */
export interface VersionDocument {
  readonly wire: number;
  readonly version: string;
  /** Version of the Node runtime, e.g. `v22.23.3`. */
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
}

/** GET /v1/logs, oldest line first. */
export interface LogsDocument {
  readonly lines: readonly LogLine[];
  /** Whether older lines were left out because the answer would be too large. */
  readonly truncated: boolean;
}

/** GET /v1/events. */
export interface EventsDocument {
  readonly events: readonly AgentEvent[];
}

/** POST /v1/shutdown. */
export interface ShutdownDocument {
  /** Whether everything ended by itself within the deadline. */
  readonly orderly: boolean;
  /** Units that had to be killed. */
  readonly killed: readonly string[];
}

/** One message of the WebSocket /v1/logs/follow. */
export interface LogMessage {
  readonly type: 'line';
  readonly line: LogLine;
}

/** GET /v1/samples: what the board is made of and its load over the last two hours, oldest first. */
export interface SamplesDocument {
  readonly inventory?: Inventory;
  readonly samples: readonly Sample[];
}

/** GET /v1/ledger: why things were restarted, held or repaired, over all boots that are kept, oldest first. */
export interface LedgerDocument {
  readonly records: readonly LedgerRecord[];
}

/** Something that stands in the way of joining, or that will be missed later. */
export interface JoinProblemView {
  /** An error stops the join before anything is changed; a warning does not. */
  readonly severity: 'error' | 'warning';
  readonly reason: string;
  /** Sentence that ends with the fix; never a secret. */
  readonly message: string;
}

/** POST /v1/edge/join, on a board that has joined already too. */
export interface JoinDocument {
  /** Whether the board has its certificate and edgecore runs. */
  readonly joined: boolean;
  readonly dryRun: boolean;
  readonly node?: string;
  /** HOST:PORT of cloudcore. */
  readonly cloud?: string;
  /** Release of edgecore, e.g. `v1.22.1`. */
  readonly kubeedge?: string;
  readonly runtime?: string;
  readonly problems: readonly JoinProblemView[];
  /** What was done, or would be. */
  readonly steps: readonly StepView[];
  /** Dotted names of edgecore.yaml in which the operator's values were kept. */
  readonly kept: readonly string[];
  /** How it went, once something was done. */
  readonly outcome?: { readonly reason: string; readonly message: string };
}

/** POST /v1/edge/leave. */
export interface LeaveDocument {
  readonly left: boolean;
  readonly node?: string;
  readonly dryRun: boolean;
  readonly steps: readonly StepView[];
  /** What to do in the cloud. */
  readonly hints: readonly string[];
}

/** GET /v1/edge. */
export interface EdgeDocument {
  readonly joined: boolean;
  readonly node?: string;
  readonly cloud?: string;
  readonly kubeedge?: string;
  readonly runtime?: string;
  readonly joinedAtMs?: number;
  readonly certificate?: { readonly notAfterMs: number; readonly reason: string; readonly message: string };
}

/** One version of a part: the image's, or one that was put on /data. */
export interface SlotView {
  /** `image`, or the name of a folder below `parts`. */
  readonly slot: string;
  /** What it says it is, as far as that is known. */
  readonly version?: string;
  readonly path: string;
  /** SHA-256 of the file that it came from. */
  readonly sha256?: string;
  readonly takenAtMs?: number;
}

/** How far a change of a part has come; `watching` is the trial that decides whether it stays. */
export type PartPhase = 'settled' | 'switching' | 'watching' | 'reverting';

/** One part that can be updated on the running board. */
export interface PartView {
  readonly part: string;
  readonly phase: PartPhase;
  readonly current: SlotView;
  /** What `agentctl rollback` goes back to. */
  readonly former?: SlotView;
  /** The change that was taken back last, and why. */
  readonly rejected?: {
    readonly slot: string;
    readonly atMs: number;
    readonly reason: string;
    readonly message: string;
  };
}

/** GET /v1/parts. */
export interface PartsDocument {
  readonly parts: readonly PartView[];
}

/** POST /v1/parts/:name/update and /v1/parts/:name/rollback. */
export interface UpdateDocument {
  readonly part: string;
  readonly dryRun: boolean;
  /** Whether the new one is in use and, where `phase` is settled, has proved itself. */
  readonly ok: boolean;
  readonly phase: PartPhase;
  readonly from: SlotView;
  readonly to: SlotView;
  /** What was seen while it was checked. */
  readonly notes: readonly string[];
  readonly outcome: { readonly reason: string; readonly message: string };
}
