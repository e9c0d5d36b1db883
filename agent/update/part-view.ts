import type { PartView, SlotView } from '../api/wire.ts';
import { imageSlot, type PartRecord, type Slot } from './part-record.ts';
import type { PartStore } from './part-store.ts';
import type { PartKind } from './part-table.ts';
import type { GoodDraft } from './take-part.ts';

/** What a slot is described with. */
export interface ViewParts {
  readonly kind: PartKind;
  readonly store: PartStore;
  /** Where the image has its own part. */
  readonly imagePath: string;
}

/** One slot as everybody outside sees it. */
export async function slotView(slot: Slot, { kind, store, imagePath }: ViewParts): Promise<SlotView> {
  if (slot === imageSlot) return { slot, path: imagePath };
  const facts = await store.factsOf(slot).catch(() => undefined);
  const path = `${store.folderOf(slot)}/${kind.main}`;
  if (facts === undefined) return { slot, path };
  const { version, sha256, atMs } = facts;
  return { slot, path, ...(version === undefined ? {} : { version }), sha256, takenAtMs: atMs };
}

/** A draft that is good and was not kept. */
export function draftView({ slot, facts }: GoodDraft, { kind, store }: ViewParts): SlotView {
  const { version, sha256 } = facts;
  const path = `${store.folderOf(slot)}/${kind.main}`;
  return { slot, path, ...(version === undefined ? {} : { version }), sha256 };
}

/** One part as everybody outside sees it. */
export async function partView(record: PartRecord, parts: ViewParts): Promise<PartView> {
  const { rejected, phase } = record;
  const former =
    record.former !== undefined && (await parts.store.isWhole(record.former).catch(() => false))
      ? record.former
      : undefined;
  return {
    part: parts.kind.name,
    phase,
    current: await slotView(record.current, parts),
    ...(former === undefined ? {} : { former: await slotView(former, parts) }),
    ...(rejected === undefined ? {} : { rejected }),
  };
}
