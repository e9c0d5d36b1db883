import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { AgentError } from '../core/agent-error.ts';
import { safeName } from '../core/archive-name.ts';

/** How much an archive may hold before it counts as made to fill a disk. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Bytes after decompression, headers and everything included. */
  readonly bytes: number;
}

/** A file that is taken out of an archive: where it goes below the folder, and its permission bits. */
export interface WantedEntry {
  readonly to: string;
  readonly mode: number;
}

/** What is taken out of an archive and how strict it is looked at. */
export interface ArchiveOrder {
  readonly limits: ArchiveLimits;
  /** Passes links over instead of refusing the archive; they are never made. */
  readonly mayHoldLinks: boolean;
  /** What becomes of the file with this plain name; undefined passes it over. */
  readonly wanted: (name: string) => WantedEntry | undefined;
}

/**
 * Takes the wanted files out of a tar stream into an existing folder and returns the size of each. Only names that the
 * order gives are ever written, so no entry decides where anything lands; an archive with hostile entries is refused as
 * a whole all the same. Rejects with INPUT_INVALID for those, and with the stream's own error for a broken one.
 */
export async function readArchive(
  source: readonly [Readable, ...Transform[]],
  folder: string,
  order: ArchiveOrder,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  const tar = extract();
  // An entry of a destroyed archive neither ends nor fails, so whoever waits for it is told.
  const broken = new AbortController();
  const reading = readEntries(tar, folder, { order, sizes, signal: broken.signal });
  try {
    await Promise.all([pipeline([...source, byteLimit(order.limits.bytes), tar]), reading]);
  } catch (error) {
    broken.abort(error);
    await reading.catch(() => undefined);
    throw error;
  }
  return sizes;
}

interface Reading {
  readonly order: ArchiveOrder;
  readonly sizes: Map<string, number>;
  readonly signal: AbortSignal;
}

async function readEntries(
  tar: ReturnType<typeof extract>,
  folder: string,
  { order, sizes, signal }: Reading,
): Promise<void> {
  let count = 0;
  for await (const entry of tar) {
    count += 1;
    if (count > order.limits.entries) throw tooMuch(`more than ${order.limits.entries} entries`);
    const wanted = judge(entry.header, order);
    if (wanted === undefined) {
      entry.resume();
      continue;
    }
    if (sizes.has(wanted.to)) throw tooMuch(`"${wanted.to}" twice`);
    sizes.set(wanted.to, entry.header.size ?? 0);
    const target = path.join(folder, wanted.to);
    await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
    await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: wanted.mode }), { signal });
    // The mode above went through the umask.
    await chmod(target, wanted.mode);
  }
}

/** What the order makes of an entry, or undefined for one to pass over; throws for what no good archive holds. */
function judge(header: Header, order: ArchiveOrder): WantedEntry | undefined {
  const name = safeName(header.name);
  if (header.type === 'directory') return undefined;
  if (header.type === 'link' || header.type === 'symlink') {
    if (order.mayHoldLinks && order.wanted(name) === undefined) return undefined;
    throw refused(header, `it is a link to "${header.linkname}"`);
  }
  if (header.type !== 'file' && header.type !== 'contiguous-file')
    throw refused(header, `it is a ${header.type}`);
  return order.wanted(name);
}

function refused({ name }: Header, problem: string): AgentError {
  return new AgentError('INPUT_INVALID', `Cannot take an archive with the entry "${name}": ${problem}`);
}

function tooMuch(what: string): AgentError {
  return new AgentError('INPUT_INVALID', `Cannot take an archive that holds ${what}`);
}

/** Passes data on until there is more than any good archive has. */
function byteLimit(limit: number): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed > limit) done(tooMuch(`more than ${limit} bytes when unpacked`));
      else done(null, chunk);
    },
  });
}
