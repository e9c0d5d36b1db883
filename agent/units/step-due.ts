import { dueAt, type UnitState } from './state.ts';
import { begin, type Context, type Step, stay, stopHung, terminate } from './transitions.ts';

/** What the mere passing of time changes; an alarm that comes too early changes nothing. */
export function due(state: UnitState, context: Context): Step {
  const when = dueAt(state, context.policy);
  if (when === undefined || context.at.nowMs < when) return stay(state);
  if (state.phase === 'waiting' || state.phase === 'failed') return begin(state, context);
  if (state.phase === 'starting') return startTimedOut(state, context);
  if (state.phase === 'stopping') return nextStage(state, context);
  if (state.phase === 'unready') return aid(state, context);
  return stay(state.phase === 'ready' ? { ...state, failures: 0 } : state);
}

/** The pauses between two aids double: a disk that is merely slow must not have its containerd ended again and again. */
function aid(state: Extract<UnitState, { phase: 'unready' }>, { at, policy }: Context): Step {
  const aidAt = at.nowMs + Math.max(policy.aidMs ?? 0, at.nowMs - state.since);
  return { next: { ...state, aidAt }, effects: [{ kind: 'aid', pid: state.pid, note: state.note }] };
}

function startTimedOut(state: Extract<UnitState, { phase: 'starting' }>, context: Context): Step {
  const seconds = Math.round((context.at.nowMs - state.since) / 1000);
  const last = state.note === undefined ? '' : `: ${state.note.message}`;
  const message = `It was not ready after ${seconds} s${last}`;
  return stopHung(state, { reason: 'StartTimedOut', message }, context);
}

function nextStage(state: Extract<UnitState, { phase: 'stopping' }>, context: Context): Step {
  const stageAt = context.at.nowMs;
  switch (state.stage) {
    case 'evidence':
      return terminate(state, context);
    case 'term': {
      const effect = { kind: 'signal', pid: state.pid, signal: 'SIGKILL' } as const;
      return { next: { ...state, stage: 'kill', stageAt }, effects: [effect] };
    }
    case 'kill': {
      const message =
        'The kernel does not let go of it after SIGKILL; a disk or a driver may hang, see state D';
      return stay({ ...state, stage: 'stuck', stageAt, why: { reason: 'Unkillable', message } });
    }
    case 'stuck':
      return stay(state);
  }
}
