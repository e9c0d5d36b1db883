import { readFile } from 'node:fs/promises';
import type { TreeEntry } from '../image/tree.ts';

/** A character device node, which only the initial ramdisk needs. */
export interface DeviceNode {
  readonly kind: 'device';
  readonly path: string;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
}

const fileTypes = { directory: 0o040000, file: 0o100000, text: 0o100000, link: 0o120000, device: 0o020000 };

/** Packs entries as the kernel reads an initial ramdisk: cpio in the "newc" form, everything owned by root. */
export async function packCpio(entries: readonly (TreeEntry | DeviceNode)[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (const [index, entry] of entries.entries()) {
    const content = await contentOf(entry);
    const device = entry.kind === 'device' ? [entry.major, entry.minor] : [0, 0];
    const mode = fileTypes[entry.kind] | entry.mode;
    parts.push(...record(entry.path.replace(/^\//, ''), [index + 1, mode, ...device], content));
  }
  parts.push(...record('TRAILER!!!', [0, 0, 0, 0], new Uint8Array()));
  return Buffer.concat(parts);
}

async function contentOf(entry: TreeEntry | DeviceNode): Promise<Uint8Array> {
  if (entry.kind === 'file') return readFile(entry.source);
  if (entry.kind === 'text') return new TextEncoder().encode(entry.content);
  if (entry.kind === 'link') return new TextEncoder().encode(entry.target);
  return new Uint8Array();
}

function record(
  name: string,
  [inode = 0, mode = 0, major = 0, minor = 0]: number[],
  content: Uint8Array,
): Uint8Array[] {
  const nameBytes = new TextEncoder().encode(`${name}\0`);
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, nameBytes.length, 0];
  const header = `070701${numbers.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  const head = Buffer.concat([new TextEncoder().encode(header), nameBytes]);
  return [padded(head), padded(content)];
}

function padded(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, new Uint8Array(4 - rest)]);
}
