import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { productName } from '../../agent/core/constants.ts';
import type { TreeEntry } from './tree.ts';

/** One path of the product as it has to be on the board. */
type ContentRow = {
  readonly path: string;
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
} & (
  | { readonly type: 'directory' }
  | { readonly type: 'file'; readonly sha256: string; readonly size: number }
  | { readonly type: 'link'; readonly target: string }
);

/** The bytes of an entry; only files and texts have some. */
async function contentOf(entry: TreeEntry): Promise<Buffer> {
  if (entry.kind === 'file') return readFile(entry.source);
  return Buffer.from(entry.kind === 'text' ? entry.content : '');
}

/** What the product consists of, as JSON that a board can be compared with; it lists everything but itself. */
export async function contentManifest(entries: readonly TreeEntry[], version: string): Promise<string> {
  const rows: ContentRow[] = [];
  for (const entry of entries) rows.push(await describe(entry));
  return `${JSON.stringify({ version: 1, product: productName, productVersion: version, entries: rows }, null, 1)}\n`;
}

async function describe(entry: TreeEntry): Promise<ContentRow> {
  const { path, uid, gid } = entry;
  const owned = { path, mode: entry.mode.toString(8).padStart(4, '0'), uid, gid };
  if (entry.kind === 'directory') return { ...owned, type: 'directory' };
  if (entry.kind === 'link') return { ...owned, type: 'link', target: entry.target };
  const bytes = await contentOf(entry);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { ...owned, type: 'file', sha256, size: bytes.length };
}
