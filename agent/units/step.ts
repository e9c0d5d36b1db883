import { backoffDelay } from '../core/backoff.ts';
import type { Fault, Health, Note, UnitPolicy } from './spec.ts';
import type { Effect, Moment, UnitEvent, UnitState } from './state.ts';
import { dueAt } from './state.ts';

/** Result of one transition. */
export interface Step {
  readonly next: UnitState;
  readonly effects: readonly Effect[];
}

/** Silent probes in a row after which a unit is no longer called ready. */
const unreadyAfter = 2;
const askedToStop: Note = { reason: 'Stopped', message: 'Stopped on request' };
const askedToRestart: Note = { reason: 'Restarting', message: 'Restarted on request' };

type Kind = UnitEvent['kind'];
type EventOf<K extends Kind> = Extract<UnitEvent, { kind: K }>;
interface Context {
  readonly at: Moment;
  readonly policy: UnitPolicy;
}
type Handlers = { readonly [K in Kind]: (state: UnitState, event: EventOf<K>, context: Context) => Step };

/**
 * The whole of supervision as a pure function: state and event in, next state and what to do out. It never looks at a
 * clock and never acts; an event that no longer concerns the present process changes nothing.
 */
export function step(state: UnitState, event: UnitEvent, at: Moment, policy: UnitPolicy): Step {
  const handle = handlers[event.kind] as (state: UnitState, event: UnitEvent, context: Context) => Step;
  return handle(state, event, { at, policy });
}

const handlers: Handlers = {
  'start-requested': (state, _event, context) => {
    const wanted = { ...state, wanted: 'up' as const };
    return isIdle(wanted) ? begin({ ...wanted, failures: 0 }, context) : stay(wanted);
  },
  'stop-requested': (state, event, context) => {
    const wanted = { ...state, wanted: 'down' as const };
    if (isIdle(wanted)) return stay({ ...alwaysOf(wanted), failures: 0, phase: 'down' });
    if (wanted.phase === 'preparing') return { next: wanted, effects: [{ kind: 'cancel-prepare' }] };
    const graceMs = event.graceMs ?? context.policy.stopMs;
    return stop(wanted, { why: askedToStop, fault: undefined, graceMs }, context);
  },
  'restart-requested': (state, _event, context) => {
    const wanted = { ...state, wanted: 'up' as const };
    if (isIdle(wanted)) return begin({ ...wanted, failures: 0 }, context);
    return stop(wanted, { why: askedToRestart, fault: undefined, graceMs: context.policy.stopMs }, context);
  },
  'needs-changed': (state, event, context) => {
    const known = { ...state, missing: event.missing };
    return known.phase === 'held' ? begin(known, context) : stay(known);
  },
  prepared: (state, event, context) => {
    if (state.phase !== 'preparing') return stay(state);
    if (state.wanted === 'down') return stay({ ...alwaysOf(state), failures: 0, phase: 'down' });
    if (event.fault !== undefined) return fail(state, event.fault, context);
    const next: UnitState = { ...alwaysOf(state), phase: 'spawning', since: context.at.nowMs };
    return { next, effects: [{ kind: 'spawn' }] };
  },
  spawned: (state, event, context) => {
    if (state.phase !== 'spawning') return stay(state);
    return wantedOrStop(started(state, event.pid, context), context);
  },
  'spawn-refused': (state, event, context) => {
    if (state.phase !== 'spawning') return stay(state);
    return afterEnd(state, event.fault, context);
  },
  adopted: (state, event, context) => {
    if (!isIdle(state)) return stay(state);
    return stay(started(state, event.pid, context));
  },
  probed: (state, event, context) => {
    if (!('pid' in state) || state.pid !== event.pid) return stay(state);
    return probed(state, event.health, context);
  },
  progressed: (state, event) => {
    if (state.phase !== 'starting' || state.pid !== event.pid) return stay(state);
    return stay({ ...state, progressAt: Math.max(state.progressAt, event.atMs) });
  },
  'evidence-gathered': (state, event, context) => {
    if (state.phase !== 'stopping' || state.pid !== event.pid || state.stage !== 'evidence')
      return stay(state);
    if (event.isResumed && state.wanted === 'up') {
      const note = { reason: 'Resumed', message: 'It had been stopped by a signal and was resumed' };
      return stay(unready(state, state.pid, { note, silent: 0, nowMs: context.at.nowMs }));
    }
    return terminate(state, context);
  },
  ended: (state, event, context) => {
    if (!('pid' in state) || state.pid !== event.pid) return stay(state);
    if (state.phase !== 'stopping') return afterEnd(forgive(state, context), event.fault, context);
    if (state.fault !== undefined) return afterEnd(state, state.fault, context);
    if (state.wanted === 'down') return stay({ ...alwaysOf(state), failures: 0, phase: 'down' });
    return begin({ ...state, failures: 0 }, context);
  },
  'cause-changed': (state, _event, context) => {
    if (state.phase !== 'failed' || state.wanted === 'down') return stay(state);
    return begin({ ...state, failures: 0 }, context);
  },
  due: (state, _event, context) => due(state, context),
};

function stay(next: UnitState): Step {
  return { next, effects: [] };
}

function alwaysOf(state: UnitState): Pick<UnitState, 'wanted' | 'missing' | 'failures'> {
  return { wanted: state.wanted, missing: state.missing, failures: state.failures };
}

/** Reports whether nothing runs and nothing is under way. */
function isIdle(state: UnitState): boolean {
  return ['down', 'held', 'waiting', 'failed'].includes(state.phase);
}

function begin(state: UnitState, context: Context): Step {
  if (state.missing !== undefined) return stay({ ...alwaysOf(state), phase: 'held' });
  const next: UnitState = { ...alwaysOf(state), phase: 'preparing', since: context.at.nowMs };
  return { next, effects: [{ kind: 'prepare' }] };
}

function started(state: UnitState, pid: number, { at }: Context): UnitState {
  const { nowMs } = at;
  return { ...alwaysOf(state), phase: 'starting', pid, since: nowMs, progressAt: nowMs, note: undefined };
}

function wantedOrStop(state: UnitState, context: Context): Step {
  if (state.wanted === 'up') return stay(state);
  return stop(state, { why: askedToStop, fault: undefined, graceMs: context.policy.stopMs }, context);
}

interface Stopping {
  readonly why: Note;
  readonly fault: Fault | undefined;
  readonly graceMs: number;
}

/** SIGTERM is sent exactly once: dockerd takes the fourth as an order to drop everything and exit. */
function stop(state: UnitState, stopping: Stopping, context: Context): Step {
  if (state.phase === 'stopping') {
    const graceMs = Math.min(state.graceMs, stopping.graceMs);
    return stay({ ...state, graceMs, why: stopping.why, fault: undefined });
  }
  if (!('pid' in state)) return stay(state);
  const { nowMs } = context.at;
  const stage = stopping.fault === undefined ? 'term' : 'evidence';
  const next: UnitState = {
    ...alwaysOf(state),
    ...stopping,
    phase: 'stopping',
    pid: state.pid,
    since: nowMs,
    stage,
    stageAt: nowMs,
  };
  const effect: Effect =
    stage === 'term'
      ? { kind: 'signal', pid: state.pid, signal: 'SIGTERM' }
      : { kind: 'gather-evidence', pid: state.pid, why: stopping.why };
  return { next, effects: [effect] };
}

function terminate(state: Extract<UnitState, { phase: 'stopping' }>, { at }: Context): Step {
  const next: UnitState = { ...state, stage: 'term', stageAt: at.nowMs };
  return { next, effects: [{ kind: 'signal', pid: state.pid, signal: 'SIGTERM' }] };
}

/** Forgets failures of a unit that had been ready long enough when it ended. */
function forgive(state: UnitState, { at, policy }: Context): UnitState {
  const isStable = state.phase === 'ready' && at.nowMs - state.since >= policy.restart.stableMs;
  return isStable ? { ...state, failures: 0 } : state;
}

/** Goes on after an end: down where that is wanted, else the next try by the restart policy. */
function afterEnd(state: UnitState, fault: Fault, context: Context): Step {
  if (state.wanted === 'down') return stay({ ...alwaysOf(state), failures: 0, phase: 'down' });
  const failures = state.failures + 1;
  const counted = { ...state, failures };
  if (failures === 1 && !fault.isPermanent) return begin(counted, context);
  return fail(counted, fault, context, failures);
}

/** Waits before the next try. A refusal before anything ran counts as a failure too. */
function fail(state: UnitState, fault: Fault, { at, policy }: Context, counted?: number): Step {
  const failures = counted ?? state.failures + 1;
  const always = { ...alwaysOf(state), failures };
  const { restart } = policy;
  if (fault.isPermanent) {
    const retryAt = at.nowMs + restart.permanentMs;
    return stay({ ...always, phase: 'failed', since: at.nowMs, retryAt, fault });
  }
  if (failures >= restart.loopFailures) {
    const retryAt = at.nowMs + restart.ceilingMs;
    return stay({ ...always, phase: 'failed', since: at.nowMs, retryAt, fault });
  }
  const retryAt = at.nowMs + backoffDelay(Math.max(1, failures - 1), restart, at.chance);
  return stay({ ...always, phase: 'waiting', retryAt, fault });
}

function unready(
  state: UnitState,
  pid: number,
  facts: { readonly note: Note; readonly silent: number; readonly nowMs: number },
): UnitState {
  const since = state.phase === 'unready' ? state.since : facts.nowMs;
  return { ...alwaysOf(state), phase: 'unready', pid, since, silent: facts.silent, note: facts.note };
}

type Running = Extract<UnitState, { pid: number }>;

function probed(state: Running, health: Health, context: Context): Step {
  if (state.phase === 'stopping') return stay(state);
  const { nowMs } = context.at;
  if (health.verdict === 'alive') return stay('silent' in state ? { ...state, silent: 0 } : state);
  if (health.verdict === 'ready') {
    if (state.phase === 'ready') return stay({ ...state, silent: 0 });
    return stay({ ...alwaysOf(state), phase: 'ready', pid: state.pid, since: nowMs, silent: 0 });
  }
  const note = { reason: health.reason, message: health.message };
  if (state.phase === 'starting') return stay({ ...state, note });
  if (health.verdict === 'unready') return stay(unready(state, state.pid, { note, silent: 0, nowMs }));
  return silent(state, note, context);
}

function silent(state: Extract<Running, { silent: number }>, note: Note, context: Context): Step {
  const count = state.silent + 1;
  const { nowMs } = context.at;
  if (count >= context.policy.silentLimit) {
    const message = `It did not answer ${count} probes in a row: ${note.message}`;
    return stop(state, hung({ reason: 'Hung', message }, context), context);
  }
  if (count < unreadyAfter && state.phase === 'ready') return stay({ ...state, silent: count });
  return stay(unready(state, state.pid, { note, silent: count, nowMs }));
}

function hung(note: Note, { policy }: Context): Stopping {
  return { why: note, fault: { ...note, isPermanent: false }, graceMs: policy.stopMs };
}

function due(state: UnitState, context: Context): Step {
  const { at, policy } = context;
  const when = dueAt(state, policy);
  if (when === undefined || at.nowMs < when) return stay(state);
  switch (state.phase) {
    case 'waiting':
    case 'failed':
      return begin(state, context);
    case 'starting': {
      const seconds = Math.round((at.nowMs - state.since) / 1000);
      const last = state.note === undefined ? '' : `: ${state.note.message}`;
      const message = `It was not ready after ${seconds} s and printed nothing more${last}`;
      return stop(state, hung({ reason: 'StartTimedOut', message }, context), context);
    }
    case 'ready':
      return stay({ ...state, failures: 0 });
    case 'stopping':
      return nextStage(state, context);
    case 'down':
    case 'held':
    case 'preparing':
    case 'spawning':
    case 'unready':
      return stay(state);
  }
}

function nextStage(state: Extract<UnitState, { phase: 'stopping' }>, context: Context): Step {
  const { nowMs } = context.at;
  switch (state.stage) {
    case 'evidence':
      return terminate(state, context);
    case 'term': {
      const next: UnitState = { ...state, stage: 'kill', stageAt: nowMs };
      return { next, effects: [{ kind: 'signal', pid: state.pid, signal: 'SIGKILL' }] };
    }
    case 'kill': {
      const message =
        'The kernel does not let go of it after SIGKILL; a disk or driver may hang, see state D';
      return stay({ ...state, stage: 'stuck', stageAt: nowMs, why: { reason: 'Unkillable', message } });
    }
    case 'stuck':
      return stay(state);
  }
}
