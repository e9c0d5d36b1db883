import type { Note, UnitPolicy } from '../core/unit-spec.ts';
import type { Moment, UnitEvent, UnitState } from './state.ts';
import { due } from './step-due.ts';
import { probed } from './step-probed.ts';
import {
  afterEnd,
  alwaysOf,
  begin,
  type Context,
  down,
  fail,
  forgive,
  isIdle,
  type Step,
  started,
  stay,
  stop,
  terminate,
  unready,
} from './transitions.ts';

const askedToStop: Note = { reason: 'Stopping', message: 'It is stopped on request' };
const askedToRestart: Note = { reason: 'Restarting', message: 'It is restarted on request' };
const resumed: Note = { reason: 'Resumed', message: 'A signal had stopped it, and it was told to go on' };

type Kind = UnitEvent['kind'];
type EventOf<K extends Kind> = Extract<UnitEvent, { kind: K }>;
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
    const wanted: UnitState = { ...state, wanted: 'up' };
    return isIdle(wanted) ? begin({ ...wanted, failures: 0 }, context) : stay(wanted);
  },
  'stop-requested': (state, event, context) => {
    const wanted: UnitState = { ...state, wanted: 'down' };
    if (isIdle(wanted)) return down(wanted);
    if (wanted.phase === 'preparing') return { next: wanted, effects: [{ kind: 'cancel-prepare' }] };
    const graceMs = event.graceMs ?? context.policy.stopMs;
    return stop(wanted, { why: askedToStop, fault: undefined, graceMs }, context);
  },
  'restart-requested': (state, _event, context) => {
    const wanted: UnitState = { ...state, wanted: 'up' };
    if (isIdle(wanted)) return begin({ ...wanted, failures: 0 }, context);
    return stop(wanted, { why: askedToRestart, fault: undefined, graceMs: context.policy.stopMs }, context);
  },
  'needs-changed': (state, event, context) => {
    const known: UnitState = { ...state, missing: event.missing };
    return known.phase === 'held' ? begin(known, context) : stay(known);
  },
  prepared: (state, event, context) => {
    if (state.phase !== 'preparing') return stay(state);
    if (state.wanted === 'down') return down(state);
    if (event.isCancelled === true) return begin(state, context);
    if (event.fault !== undefined) return fail(state, event.fault, context);
    const next: UnitState = { ...alwaysOf(state), phase: 'spawning', since: context.at.nowMs };
    return { next, effects: [{ kind: 'spawn' }] };
  },
  spawned: (state, event, context) => {
    if (state.phase !== 'spawning') return stay(state);
    const running = started(state, event.pid, context);
    if (state.wanted === 'up') return stay(running);
    const { stopMs } = context.policy;
    return stop(running, { why: askedToStop, fault: undefined, graceMs: stopMs }, context);
  },
  'spawn-refused': (state, event, context) => {
    return state.phase === 'spawning' ? afterEnd(state, event.fault, context) : stay(state);
  },
  adopted: (state, event, context) => {
    return stay(isIdle(state) ? started(state, event.pid, context) : state);
  },
  probed: (state, event, context) => {
    return 'pid' in state && state.pid === event.pid ? probed(state, event.health, context) : stay(state);
  },
  progressed: (state, event) => {
    if (state.phase !== 'starting' || state.pid !== event.pid) return stay(state);
    return stay({ ...state, progressAt: Math.max(state.progressAt, event.atMs) });
  },
  resumed: (state, event, context) => {
    if (state.phase !== 'unready' || state.pid !== event.pid) return stay(state);
    return stay(unready(state, { note: resumed, silent: 0 }, context));
  },
  'evidence-gathered': (state, event, context) => {
    const isAwaited = state.phase === 'stopping' && state.stage === 'evidence' && state.pid === event.pid;
    if (!isAwaited) return stay(state);
    if (!event.isResumed) return terminate(state, context);
    return stay(unready(state, { note: resumed, silent: 0 }, context));
  },
  ended: (state, event, context) => {
    if (!('pid' in state) || state.pid !== event.pid) return stay(state);
    if (state.phase !== 'stopping') return afterEnd(forgive(state, context), event.fault, context);
    if (state.fault !== undefined) return afterEnd(state, state.fault, context);
    return state.wanted === 'down' ? down(state) : begin({ ...state, failures: 0 }, context);
  },
  'cause-changed': (state, _event, context) => {
    const isAwaited = state.phase === 'failed' && state.wanted === 'up';
    return isAwaited ? begin({ ...state, failures: 0 }, context) : stay(state);
  },
  due: (state, _event, context) => due(state, context),
};
