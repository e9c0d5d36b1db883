import type { Note } from '../core/unit-spec.ts';
import { imageSlot, type PartRecord, type Slot } from './part-record.ts';

/** Boots that a trial may see: a part that takes the board down with it must not do so for ever. */
const maxBoots = 3;

/** What is found at the start of the agent. */
export interface FoundFacts {
  readonly bootId: string;
  readonly nowMs: number;
  readonly isCurrentWhole: boolean;
  readonly isFormerWhole: boolean;
  /** Slot that the start script has chosen; for the agent itself only. */
  readonly launched?: Slot;
  /** What the image's own part is like now. */
  readonly base: string;
}

/** The record as it has to be, and what is to be told where it had to change. */
export interface Recovered {
  readonly record: PartRecord;
  readonly story?: Note;
}

/** Takes a change back: the former one counts again, and the one before it is former again. */
export function giveUp(
  record: PartRecord,
  why: Note & { readonly nowMs: number; readonly phase: 'settled' | 'reverting' },
): PartRecord {
  const { reason, message, nowMs, phase } = why;
  return {
    ...record,
    current: record.former ?? imageSlot,
    former: record.older,
    older: undefined,
    phase,
    goal: [],
    rejected: { slot: record.current, atMs: nowMs, reason, message },
  };
}

/** Takes a change for good. */
export function settle(record: PartRecord): PartRecord {
  return { ...record, older: undefined, phase: 'settled', boots: 0, goal: [] };
}

/**
 * What a record means when the agent starts: after a power cut, a crash of the agent, or nothing at all. A change that was
 * under way goes on or is taken back; a slot that lost files is not used again. Pure.
 */
export function recover(record: PartRecord, facts: FoundFacts): Recovered {
  const isThisBoot = record.boot === facts.bootId;
  if (facts.launched !== undefined) return recoverAgent(record, facts, facts.launched);
  if (!facts.isCurrentWhole) return damaged(record, facts, isThisBoot);
  if (record.phase === 'settled' || isThisBoot) return { record };
  // Nothing of an earlier boot runs any more, so whoever starts now takes what the record says.
  if (record.phase === 'reverting') return { record: settle(record) };
  const boots = record.boots + 1;
  if (boots > maxBoots) {
    const reason = 'InterruptedTooOften';
    const message = `The board was restarted ${record.boots} times while it was on trial`;
    const why = { reason, message, nowMs: facts.nowMs, phase: 'settled' } as const;
    return { record: giveUp(record, why), story: { reason, message } };
  }
  return { record: { ...record, phase: 'watching', boot: facts.bootId, boots } };
}

function damaged(record: PartRecord, facts: FoundFacts, isThisBoot: boolean): Recovered {
  const story = missingFiles(record.current);
  const former = facts.isFormerWhole ? record.former : undefined;
  const why = { ...story, nowMs: facts.nowMs, phase: isThisBoot ? 'reverting' : 'settled' } as const;
  return { record: giveUp({ ...record, former, boot: facts.bootId }, why), story };
}

function missingFiles(slot: Slot): Note {
  return { reason: 'FilesMissing', message: `Files of ${slot} are missing or cut short` };
}

/** The start script has the last word about the agent: it alone can do something about one that does not even start. */
function recoverAgent(record: PartRecord, facts: FoundFacts, launched: Slot): Recovered {
  if (launched === record.current) {
    if (record.phase === 'settled') return { record };
    if (record.phase === 'reverting') return { record: settle(record) };
    return { record: { ...record, phase: 'watching', boot: facts.bootId } };
  }
  const story = whyNotStarted(record, facts, launched);
  if (record.phase === 'settled' && facts.isCurrentWhole) {
    // Still good to go back to: it had proved itself.
    return { record: { ...record, current: launched, former: record.current, base: facts.base }, story };
  }
  const why = { ...story, nowMs: facts.nowMs, phase: 'settled' } as const;
  const next = giveUp(record, why);
  const former = next.former === launched ? undefined : next.former;
  return { record: { ...next, current: launched, former }, story };
}

function whyNotStarted(record: PartRecord, facts: FoundFacts, launched: Slot): Note {
  if (!facts.isCurrentWhole) return missingFiles(record.current);
  if (record.base !== facts.base && launched === imageSlot) {
    const message = `The image brought another agent than the one that ${record.current} was put over; the image's is used`;
    return { reason: 'Superseded', message };
  }
  const message = `${record.current} was started and never confirmed that it works; ${launched} was started instead`;
  return { reason: 'NeverConfirmed', message };
}
