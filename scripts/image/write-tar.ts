import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Header, type Pack, pack } from 'tar-stream';
import type { TreeEntry } from './tree.ts';

type TarHeader = Partial<Header> & Pick<Header, 'name'>;

/**
 * Writes a tree as an archive that is the same for the same tree: order, times and owners come from the tree alone. A
 * name ending in `.gz` compresses it. The file appears when it is whole.
 */
export async function writeTar(entries: readonly TreeEntry[], target: string, epoch: number): Promise<void> {
  const draft = `${target}.${process.pid}`;
  const tar = pack();
  const squeeze = target.endsWith('gz') ? createGzip({ level: 9 }) : new PassThrough();
  try {
    await Promise.all([pipeline(tar, squeeze, createWriteStream(draft)), fill(tar, entries, epoch)]);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}

async function fill(tar: Pack, entries: readonly TreeEntry[], epoch: number): Promise<void> {
  for (const entry of entries) {
    const header = headerOf(entry, epoch);
    if (entry.kind === 'text') tar.entry(header, entry.content);
    else if (entry.kind !== 'file') tar.entry(header);
    else
      await pipeline(
        createReadStream(entry.source),
        tar.entry({ ...header, size: (await stat(entry.source)).size }),
      );
  }
  tar.finalize();
}

function headerOf(entry: TreeEntry, epoch: number): TarHeader {
  const { mode, uid, gid } = entry;
  const name = entry.path.slice(1);
  // Names are given for root alone: what the build host calls the others may be somebody else on the board.
  const names = { uname: uid === 0 ? 'root' : '', gname: gid === 0 ? 'root' : '' };
  const common = { mode, uid, gid, mtime: new Date(epoch * 1000), ...names };
  if (entry.kind === 'directory') return { ...common, name: `${name}/`, type: 'directory' };
  if (entry.kind === 'link') return { ...common, name, type: 'symlink', linkname: entry.target };
  return { ...common, name, type: 'file' };
}
