import { backoffDelay } from '../core/backoff.ts';
import type { Fault, Note, UnitPolicy } from '../core/unit-spec.ts';
import type { Effect, Moment, UnitState } from './state.ts';

/** Result of one transition. */
export interface Step {
  readonly next: UnitState;
  readonly effects: readonly Effect[];
}

/** What a transition may look at besides the state. */
export interface Context {
  readonly at: Moment;
  readonly policy: UnitPolicy;
}

/** Why a process is stopped; with a fault the stop counts as a failure. */
export interface Stopping {
  readonly why: Note;
  readonly fault: Fault | undefined;
  /** Milliseconds from SIGTERM to SIGKILL. */
  readonly graceMs: number;
}

/** A state that needs nothing done. */
export function stay(next: UnitState): Step {
  return { next, effects: [] };
}

/** The facts that every phase has. */
export function alwaysOf(state: UnitState): Pick<UnitState, 'wanted' | 'missing' | 'failures'> {
  return { wanted: state.wanted, missing: state.missing, failures: state.failures };
}

/** Reports whether nothing runs and nothing is under way. */
export function isIdle(state: UnitState): boolean {
  return ['down', 'held', 'waiting', 'failed'].includes(state.phase);
}

/** Nothing runs and nothing is wanted; failures are forgotten. */
export function down(state: UnitState): Step {
  return stay({ ...alwaysOf(state), failures: 0, phase: 'down' });
}

/** Begins a start, or holds it where a need is missing. */
export function begin(state: UnitState, context: Context): Step {
  if (state.missing !== undefined) return stay({ ...alwaysOf(state), phase: 'held' });
  const next: UnitState = { ...alwaysOf(state), phase: 'preparing', since: context.at.nowMs };
  return { next, effects: [{ kind: 'prepare' }] };
}

/** A process runs; whether it is ready is not known yet. */
export function started(state: UnitState, pid: number, { at }: Context): UnitState {
  const { nowMs } = at;
  return { ...alwaysOf(state), phase: 'starting', pid, since: nowMs, progressAt: nowMs, note: undefined };
}

/** Runs, and may not be given work. */
export function unready(
  state: UnitState & { readonly pid: number },
  facts: { readonly note: Note; readonly silent: number },
  { at, policy }: Context,
): UnitState {
  if (state.phase === 'unready') return { ...state, ...facts };
  const aidAt = policy.aidMs === undefined ? undefined : at.nowMs + policy.aidMs;
  return { ...alwaysOf(state), ...facts, phase: 'unready', pid: state.pid, since: at.nowMs, aidAt };
}

/** SIGTERM is sent exactly once: dockerd takes the fourth as an order to drop everything and exit. */
export function stop(state: UnitState, stopping: Stopping, context: Context): Step {
  if (state.phase === 'stopping') {
    const graceMs = Math.min(state.graceMs, stopping.graceMs);
    const next = { ...state, graceMs, why: stopping.why, fault: undefined };
    // Whoever asks for the end does not ask for reasons, and a shutdown has no time for them.
    return state.stage === 'evidence' ? terminate(next, context) : stay(next);
  }
  if (!('pid' in state)) return stay(state);
  const { pid } = state;
  const { nowMs } = context.at;
  const stage = stopping.fault === undefined ? 'term' : 'evidence';
  const times = { since: nowMs, stage, stageAt: nowMs } as const;
  const effect: Effect =
    stage === 'term'
      ? { kind: 'signal', pid, signal: 'SIGTERM' }
      : { kind: 'gather-evidence', pid, why: stopping.why };
  return { next: { ...alwaysOf(state), ...stopping, ...times, phase: 'stopping', pid }, effects: [effect] };
}

/** Goes from evidence to SIGTERM. */
export function terminate(state: Extract<UnitState, { phase: 'stopping' }>, { at }: Context): Step {
  const next: UnitState = { ...state, stage: 'term', stageAt: at.nowMs };
  return { next, effects: [{ kind: 'signal', pid: state.pid, signal: 'SIGTERM' }] };
}

/** Stops a unit that hangs, and counts that as a failure. */
export function stopHung(state: UnitState, note: Note, context: Context): Step {
  const fault = { ...note, isPermanent: false };
  return stop(state, { why: note, fault, graceMs: context.policy.stopMs }, context);
}

/** Forgets the failures of a unit that had been ready long enough when it ended. */
export function forgive(state: UnitState, { at, policy }: Context): UnitState {
  const isStable = state.phase === 'ready' && at.nowMs - state.since >= policy.restart.stableMs;
  return isStable ? { ...state, failures: 0 } : state;
}

/** Goes on after an end: down where that is wanted, at once after the first failure, else by the restart policy. */
export function afterEnd(state: UnitState, fault: Fault, context: Context): Step {
  if (state.wanted === 'down') return down(state);
  if (state.failures === 0 && !fault.isPermanent) return begin({ ...state, failures: 1 }, context);
  return fail(state, fault, context);
}

/** Counts a failure and waits before the next try. */
export function fail(state: UnitState, fault: Fault, { at, policy }: Context): Step {
  const failures = state.failures + 1;
  const always = { ...alwaysOf(state), failures };
  const { restart } = policy;
  const isLoop = failures >= restart.loopFailures;
  if (fault.isPermanent || isLoop) {
    const retryAt = at.nowMs + (fault.isPermanent ? restart.permanentMs : restart.ceilingMs);
    return stay({ ...always, phase: 'failed', since: at.nowMs, retryAt, fault });
  }
  const retryAt = at.nowMs + backoffDelay(Math.max(1, failures - 1), restart, at.chance);
  return stay({ ...always, phase: 'waiting', retryAt, fault });
}
