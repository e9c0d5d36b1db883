import type { Health, Note } from '../core/unit-spec.ts';
import type { UnitState } from './state.ts';
import { alwaysOf, type Context, type Step, stay, stopHung, unready } from './transitions.ts';

/** Silent probes in a row after which a unit is no longer called ready. */
const unreadyAfter = 2;

type Running = Extract<UnitState, { readonly pid: number }>;

/**
 * What a probe changes. Only silence, many times in a row, ever leads to a stop; before that it is looked whether the
 * process was merely stopped by a signal, each time that it may not be given work.
 */
export function probed(state: Running, health: Health, context: Context): Step {
  const step = judged(state, health, context);
  const { next } = step;
  const isLate = next.phase === 'starting' || next.phase === 'unready';
  const isWell = health.verdict === 'ready' || health.verdict === 'alive';
  return isWell || !isLate ? step : { next, effects: [...step.effects, { kind: 'wake', pid: next.pid }] };
}

function judged(state: Running, health: Health, context: Context): Step {
  if (state.phase === 'stopping') return stay(state);
  const { nowMs } = context.at;
  switch (health.verdict) {
    case 'alive':
      return stay('silent' in state ? { ...state, silent: 0 } : state);
    case 'ready':
      if (state.phase === 'ready') return stay({ ...state, silent: 0 });
      return stay({ ...alwaysOf(state), phase: 'ready', pid: state.pid, since: nowMs, silent: 0 });
    case 'unready': {
      const note = { reason: health.reason, message: health.message };
      if (state.phase === 'starting' && health.hasStarted !== true) return stay({ ...state, note });
      return stay(unready(state, { note, silent: 0 }, context));
    }
    case 'silent': {
      const note = { reason: health.reason, message: health.message };
      if (state.phase === 'starting') return stay({ ...state, note: { ...note, reason: 'Starting' } });
      return silent(state, note, context);
    }
  }
}

function silent(state: Extract<Running, { silent: number }>, note: Note, context: Context): Step {
  const count = state.silent + 1;
  if (count >= context.policy.silentLimit) {
    const message = `It did not answer ${count} probes in a row: ${note.message}`;
    return stopHung(state, { reason: 'Hung', message }, context);
  }
  if (count < unreadyAfter && state.phase === 'ready') return stay({ ...state, silent: count });
  return stay(unready(state, { note, silent: count }, context));
}
