import { type PartRecord, untouched } from './part-record.ts';
import type { PartStore } from './part-store.ts';
import { type Recovered, recover } from './recover.ts';

/** What is known at the start of an agent. */
export interface OpenFacts {
  readonly bootId: string;
  readonly nowMs: number;
  /** Slot that the start script has chosen; undefined for every part but the agent. */
  readonly launched: string | undefined;
  /** Tells what the image's own part is like now; asked only where there is a record to compare it with. */
  readonly readBase: () => Promise<string>;
}

/** A part as it is after the start. */
export interface OpenedPart extends Recovered {
  /** The record as it was found. */
  readonly found: PartRecord;
  /** Where an unreadable record was put. */
  readonly aside?: string;
}

/** Reads a part's record, puts right what a power cut left, and lets the links follow. */
export async function openPart(store: PartStore, facts: OpenFacts): Promise<OpenedPart> {
  const { record: found, aside } = await store.read();
  if (found === untouched) {
    const record = facts.launched === undefined ? await store.readLinks() : untouched;
    if (record === untouched) await store.followRecord(untouched);
    else await store.write(record);
    return { found: record, record, ...(aside === undefined ? {} : { aside }) };
  }
  const { launched, bootId, nowMs } = facts;
  const recovered = recover(found, {
    bootId,
    nowMs,
    base: await facts.readBase(),
    isCurrentWhole: await store.isWhole(found.current),
    isFormerWhole: found.former !== undefined && (await store.isWhole(found.former)),
    ...(launched === undefined ? {} : { launched }),
  });
  if (recovered.record === found) await store.followRecord(found);
  else await store.write(recovered.record);
  return { found, ...recovered };
}
