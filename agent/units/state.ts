import type { Fault, Health, Note, UnitPolicy } from '../core/unit-spec.ts';

/** A need that is not ready, and the condition that says why. */
export interface Missing extends Note {
  readonly causedBy: string;
}

/** What is true of a unit in every phase. */
interface Always {
  readonly wanted: 'up' | 'down';
  /** What it needs and has not; undefined where nothing is missing. */
  readonly missing: Missing | undefined;
  /** Failures in a row. */
  readonly failures: number;
}

/** How far a stop has come. `stuck`: SIGKILL was sent and the kernel still has the process, e.g. in state D. */
export type StopStage = 'evidence' | 'term' | 'kill' | 'stuck';

/** What is true in one phase only. Times are monotonic milliseconds. */
export type Phase =
  | { readonly phase: 'down' }
  /** Something it needs is not ready. */
  | { readonly phase: 'held' }
  /** Backoff after a failure. */
  | { readonly phase: 'waiting'; readonly retryAt: number; readonly fault: Fault }
  | { readonly phase: 'preparing'; readonly since: number }
  | { readonly phase: 'spawning'; readonly since: number }
  | {
      readonly phase: 'starting';
      readonly pid: number;
      readonly since: number;
      readonly progressAt: number;
      readonly note: Note | undefined;
    }
  | { readonly phase: 'ready'; readonly pid: number; readonly since: number; readonly silent: number }
  /** Was ready, runs, and may not be given work now. */
  | {
      readonly phase: 'unready';
      readonly pid: number;
      readonly since: number;
      readonly silent: number;
      readonly note: Note;
      /** When the unit is given aid; undefined where nobody can. */
      readonly aidAt: number | undefined;
    }
  | {
      readonly phase: 'stopping';
      readonly pid: number;
      readonly since: number;
      readonly stage: StopStage;
      readonly graceMs: number;
      readonly stageAt: number;
      readonly why: Note;
      /** Set where the stop is the answer to a failure: it counts, and backoff follows. */
      readonly fault: Fault | undefined;
    }
  /** Crash loop or permanent fault. */
  | { readonly phase: 'failed'; readonly retryAt: number; readonly since: number; readonly fault: Fault };

export type UnitState = Always & Phase;

/** What can happen to a unit. Events about a process carry its pid, so late ones are recognised. */
export type UnitEvent =
  | { readonly kind: 'start-requested' }
  | { readonly kind: 'stop-requested'; readonly graceMs?: number }
  | { readonly kind: 'restart-requested' }
  | { readonly kind: 'needs-changed'; readonly missing: Missing | undefined }
  /** `isCancelled`: it was told to stop half-way, which says nothing about the unit. */
  | { readonly kind: 'prepared'; readonly fault: Fault | undefined; readonly isCancelled?: boolean }
  | { readonly kind: 'spawned'; readonly pid: number }
  | { readonly kind: 'spawn-refused'; readonly fault: Fault }
  | { readonly kind: 'adopted'; readonly pid: number }
  | { readonly kind: 'probed'; readonly pid: number; readonly health: Health }
  | { readonly kind: 'progressed'; readonly pid: number; readonly atMs: number }
  /** A signal had stopped the process, and it was told to go on. */
  | { readonly kind: 'resumed'; readonly pid: number }
  | { readonly kind: 'evidence-gathered'; readonly pid: number; readonly isResumed: boolean }
  | { readonly kind: 'ended'; readonly pid: number; readonly fault: Fault }
  | { readonly kind: 'cause-changed' }
  | { readonly kind: 'due' };

/** What is to be done about it, as data. */
export type Effect =
  | { readonly kind: 'prepare' }
  | { readonly kind: 'cancel-prepare' }
  | { readonly kind: 'spawn' }
  /** Tells a process to go on where a signal has stopped it. */
  | { readonly kind: 'wake'; readonly pid: number }
  | { readonly kind: 'aid'; readonly pid: number; readonly note: Note }
  | { readonly kind: 'gather-evidence'; readonly pid: number; readonly why: Note }
  | { readonly kind: 'signal'; readonly pid: number; readonly signal: 'SIGTERM' | 'SIGKILL' };

/** Instant of an event and the chance that jitter may use. */
export interface Moment {
  readonly nowMs: number;
  /** Uniform in [0, 1). */
  readonly chance: number;
}

/** Milliseconds for evidence before a hung unit is stopped all the same. */
export const evidenceMs = 5_000;
/** Milliseconds after SIGKILL until a process counts as stuck in the kernel. */
const stuckMs = 10_000;
/** How often `startMs` may pass while there is progress. */
const maxStarts = 4;

/** A unit that nobody has asked for yet. */
export const initialState: UnitState = { wanted: 'down', missing: undefined, failures: 0, phase: 'down' };

/** Pid of the process of a state, where there is one. */
export function pidOf(state: UnitState): number | undefined {
  return 'pid' in state ? state.pid : undefined;
}

/** Instant at which the state must be looked at again without any other event; undefined where it can wait for ever. */
export function dueAt(state: UnitState, policy: UnitPolicy): number | undefined {
  switch (state.phase) {
    case 'waiting':
    case 'failed':
      return state.retryAt;
    case 'starting':
      return startDeadline(state, policy);
    case 'ready':
      return state.failures > 0 ? state.since + policy.restart.stableMs : undefined;
    case 'unready':
      return state.aidAt;
    case 'stopping':
      return stageDeadline(state);
    case 'down':
    case 'held':
    case 'preparing':
    case 'spawning':
      return undefined;
  }
}

/** A start counts as hung when its time is over and it is quiet, or when even its progress has taken too long. */
function startDeadline(state: Extract<UnitState, { phase: 'starting' }>, policy: UnitPolicy): number {
  const patient = Math.max(state.since + policy.startMs, state.progressAt + policy.quietMs);
  return Math.min(patient, state.since + maxStarts * policy.startMs);
}

function stageDeadline(state: Extract<UnitState, { phase: 'stopping' }>): number | undefined {
  switch (state.stage) {
    case 'evidence':
      return state.stageAt + evidenceMs;
    case 'term':
      return state.stageAt + state.graceMs;
    case 'kill':
      return state.stageAt + stuckMs;
    case 'stuck':
      return undefined;
  }
}
