import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import * as v from 'valibot';
import { productDir } from '../../agent/core/constants.ts';
import type { Product } from '../image/product.ts';
import { mergeTrees, type TreeEntry } from '../image/tree.ts';

const contentsPath = `${productDir}/manifest.json`;

const schema = v.object({
  entries: v.array(
    v.object({
      path: v.pipe(v.string(), v.startsWith('/')),
      mode: v.string(),
      uid: v.number(),
      gid: v.number(),
      sha256: v.optional(v.string()),
    }),
  ),
});

type Rows = v.InferOutput<typeof schema>['entries'];

/** A file of the new slot that the slot in use has already. */
export interface SharedFile {
  /** Path on the board, in either slot's tree. */
  readonly path: string;
  readonly from: string;
}

/** How a slot comes about: what is sent, and what is linked from the slot before. */
export interface SlotPlan {
  readonly slot: string;
  readonly sent: readonly TreeEntry[];
  readonly shared: readonly SharedFile[];
  /** Bytes of the files that are sent. */
  readonly sentBytes: number;
}

/** The files of a content manifest with their sums. */
export function filesOf(contents: string): readonly (Rows[number] & { readonly sha256: string })[] {
  const { entries } = v.parse(schema, JSON.parse(contents));
  return entries.flatMap((row) => (row.sha256 === undefined ? [] : [{ ...row, sha256: row.sha256 }]));
}

/** Content, mode and owner: what two names of one file have in common. */
function keyOf({ sha256, mode, uid, gid }: Rows[number]): string {
  return [sha256, mode, uid, gid].join(' ');
}

/**
 * Plans a slot. It is named for its content, so the same product finds its slot again; what the slot before has is
 * linked there and not sent, because most of an upgrade is what stayed. `before` is the content manifest of that slot.
 */
export async function planSlot(product: Product, before: string | undefined): Promise<SlotPlan> {
  const slot = createHash('sha256').update(product.contents).digest('hex').slice(0, 12);
  const there = new Map(before === undefined ? [] : readRows(before).map((row) => [keyOf(row), row.path]));
  const shared = filesOf(product.contents).flatMap((row): SharedFile[] => {
    const from = there.get(keyOf(row));
    return from === undefined ? [] : [{ path: row.path, from }];
  });
  const linked = new Set(shared.map(({ path }) => path));
  // With every folder on the way: a linked file needs one, too.
  const sent = mergeTrees(product.entries).filter(
    (entry) => entry.path === contentsPath || !linked.has(entry.path),
  );
  let sentBytes = 0;
  for (const entry of sent) if (entry.kind === 'file') sentBytes += (await stat(entry.source)).size;
  return { slot, sent, shared, sentBytes };
}

/** A slot before whose manifest is broken shares nothing. */
function readRows(contents: string): ReturnType<typeof filesOf> {
  try {
    return filesOf(contents);
  } catch {
    return [];
  }
}
