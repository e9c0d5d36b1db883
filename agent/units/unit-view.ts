import type { UnitStatus } from '../api/wire.ts';
import type { Ended } from '../core/process.ts';
import type { Note } from '../core/unit-spec.ts';
import type { ConditionFacts } from '../health/board.ts';
import type { ConditionStatus } from '../health/condition.ts';
import { pidOf, type UnitState } from './state.ts';

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

/** What a unit's status holds besides its state. */
export interface StatusFacts {
  readonly isAdopted: boolean;
  /** Wall clock in milliseconds of the last change of phase. */
  readonly sinceMs: number;
  /** Wall clock minus monotonic clock, in milliseconds. */
  readonly wallOffsetMs: number;
  readonly starts: number;
  readonly lastEnd: UnitStatus['lastEnd'];
  /** Bytes of output that the disk did not take. */
  readonly droppedBytes: number;
  /** Why it is down without anybody having stopped it, where that is so. */
  readonly idle: Note | undefined;
}

/** The unit as the wire has it. */
export function statusOf(name: string, state: UnitState, facts: StatusFacts): UnitStatus {
  const pid = pidOf(state);
  const { reason, message } = (state.phase === 'down' ? facts.idle : undefined) ?? noteOf(name, state);
  const retryAt = state.phase === 'waiting' || state.phase === 'failed' ? state.retryAt : undefined;
  return {
    name,
    wanted: state.wanted,
    phase: wirePhase(state),
    reason,
    message,
    ...(pid === undefined ? {} : { pid, adopted: facts.isAdopted }),
    sinceMs: facts.sinceMs,
    ...(retryAt === undefined ? {} : { retryAtMs: Math.round(retryAt + facts.wallOffsetMs) }),
    failures: state.failures,
    starts: facts.starts,
    ...(facts.lastEnd === undefined ? {} : { lastEnd: facts.lastEnd }),
    ...(facts.droppedBytes === 0 ? {} : { droppedBytes: facts.droppedBytes }),
  };
}

/** Phase as the wire has it: preparing and spawning are starting, held is waiting. */
function wirePhase({ phase }: UnitState): UnitStatus['phase'] {
  if (phase === 'preparing' || phase === 'spawning') return 'starting';
  return phase === 'held' ? 'waiting' : phase;
}

type Phase = UnitState['phase'];
type StateOf<P extends Phase> = Extract<UnitState, { phase: P }>;
type Notes = { readonly [P in Phase]: (name: string, state: StateOf<P>) => Note };

const notes: Notes = {
  down: (name) => ({
    reason: 'Stopped',
    message: `${name} is stopped; start it with \`agentctl start ${name}\``,
  }),
  held: (name, state) => state.missing ?? starting(`${name} is about to start`),
  waiting: (name, { fault }) => ({ reason: fault.reason, message: `${name}: ${fault.message}` }),
  preparing: (name) => starting(`${name} is being prepared`),
  spawning: (name) => starting(`${name} is being started`),
  starting: (name, state) => state.note ?? starting(`${name} runs and is not ready yet`),
  ready: (name) => ({ reason: 'Ready', message: `${name} is ready` }),
  unready: (_name, state) => state.note,
  stopping: (_name, state) => state.why,
  failed: (name, { failures, fault }) => {
    if (fault.isPermanent) return { reason: fault.reason, message: `${name}: ${fault.message}` };
    const last = `last with ${fault.reason}: ${fault.message}`;
    return { reason: 'CrashLoop', message: `${name} failed ${failures} times in a row, ${last}` };
  },
};

function starting(message: string): Note {
  return { reason: 'Starting', message };
}

/** Reason word and sentence of a state. */
export function noteOf(name: string, state: UnitState): Note {
  const note = notes[state.phase] as (name: string, state: UnitState) => Note;
  return note(name, state);
}

/** What the board says about a unit. A missing need is the cause of whatever else is wrong. */
export function conditionOf(
  name: string,
  state: UnitState,
): { readonly status: ConditionStatus; readonly facts: ConditionFacts } {
  const { reason, message } = noteOf(name, state);
  if (state.phase === 'ready') return { status: 'true', facts: { reason, message } };
  const { missing } = state;
  const cause = missing === undefined ? {} : { causedBy: missing.causedBy };
  return { status: 'false', facts: { reason, message, ...cause } };
}
