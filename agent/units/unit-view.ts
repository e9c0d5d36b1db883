import type { UnitStatus } from '../api/wire.ts';
import type { Ended } from '../core/process.ts';
import type { ConditionFacts } from '../health/board.ts';
import type { ConditionStatus } from '../health/condition.ts';
import type { Note } from './spec.ts';
import type { UnitState } from './state.ts';

/** How it went, in two words for people and programs. */
export function howText(ended: Ended): string {
  switch (ended.how) {
    case 'exited':
      return `exited ${ended.code}`;
    case 'signalled':
      return `signalled ${ended.signal}`;
    case 'spawn-failed':
      return `spawn-failed ${ended.errno}`;
    case 'unknown':
      return 'unknown';
  }
}

/** Phase as the wire has it: preparing and spawning are starting, held is waiting. */
export function wirePhase(state: UnitState): UnitStatus['phase'] {
  switch (state.phase) {
    case 'preparing':
    case 'spawning':
      return 'starting';
    case 'held':
      return 'waiting';
    case 'down':
    case 'waiting':
    case 'starting':
    case 'ready':
    case 'unready':
    case 'stopping':
    case 'failed':
      return state.phase;
  }
}

/** Reason word and sentence of a state. */
export function noteOf(name: string, state: UnitState): Note {
  switch (state.phase) {
    case 'down':
      return { reason: 'Stopped', message: `${name} is stopped; start it with \`agentctl start ${name}\`` };
    case 'held':
      return state.missing ?? { reason: 'Starting', message: `${name} is about to start` };
    case 'waiting':
      return { reason: state.fault.reason, message: `${name}: ${state.fault.message}` };
    case 'preparing':
    case 'spawning':
      return { reason: 'Starting', message: `${name} is being started` };
    case 'starting':
      return state.note ?? { reason: 'Starting', message: `${name} runs and is not ready yet` };
    case 'ready':
      return { reason: 'Ready', message: `${name} is ready` };
    case 'unready':
      return state.note;
    case 'stopping':
      return state.why;
    case 'failed':
      return failedNote(name, state);
  }
}

function failedNote(name: string, state: Extract<UnitState, { phase: 'failed' }>): Note {
  if (state.fault.isPermanent)
    return { reason: state.fault.reason, message: `${name}: ${state.fault.message}` };
  const message = `${name} failed ${state.failures} times in a row, last with ${state.fault.reason}: ${state.fault.message}`;
  return { reason: 'CrashLoop', message };
}

/** What the board says about a unit. A missing need is the cause of whatever else is wrong. */
export function conditionOf(
  name: string,
  state: UnitState,
): { readonly status: ConditionStatus; readonly facts: ConditionFacts } {
  const note = noteOf(name, state);
  if (state.phase === 'ready') return { status: 'true', facts: note };
  const facts: ConditionFacts = { reason: note.reason, message: note.message };
  const { missing } = state;
  return { status: 'false', facts: missing === undefined ? facts : { ...facts, causedBy: missing.causedBy } };
}
