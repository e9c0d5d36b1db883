import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import type { PartFile } from './part.ts';
import { safeName } from './safe-name.ts';

/** How much an archive may hold before it counts as made to fill a disk. */
export interface UnpackLimits {
  readonly entries: number;
  /** Bytes after decompression, headers and everything included. */
  readonly bytes: number;
}

export const usualLimits: UnpackLimits = { entries: 20_000, bytes: 1024 * 1024 * 1024 };

/** What is taken out of an archive and how strict it is looked at. */
export interface UnpackOrder {
  readonly files: readonly PartFile[];
  readonly limits: UnpackLimits;
  /** Passes links over instead of refusing the archive; they are never made. */
  readonly mayHoldLinks: boolean;
}

/**
 * Takes the wanted files out of a .tar.gz into an existing, empty folder. Only names of the order are ever written, so
 * no entry decides where anything lands; an archive with hostile entries is refused as a whole all the same.
 */
export async function unpackTarGz(archive: string, folder: string, order: UnpackOrder): Promise<void> {
  const seen = new Set<string>();
  const tar = extract();
  const reading = readEntries(tar, folder, order, seen);
  try {
    await Promise.all([
      pipeline(createReadStream(archive), createGunzip(), byteLimit(order.limits.bytes), tar),
      reading,
    ]);
  } catch (error) {
    await reading.catch(() => undefined);
    if (error instanceof AgentError) throw error;
    throw broken(archive, messageOf(error));
  }
  const missing = order.files.filter(({ to }) => !seen.has(to)).map(({ from }) => from);
  if (missing.length > 0) throw broken(archive, `it does not hold ${missing.join(', ')}`);
}

function broken(archive: string, problem: string): AgentError {
  return new AgentError(
    'INPUT_INVALID',
    `Cannot unpack "${path.basename(archive)}": ${problem}; take another copy`,
  );
}

async function readEntries(
  tar: ReturnType<typeof extract>,
  folder: string,
  order: UnpackOrder,
  seen: Set<string>,
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
    if (seen.has(wanted.to)) throw tooMuch(`"${wanted.from}" twice`);
    seen.add(wanted.to);
    const target = path.join(folder, wanted.to);
    await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: modeOf(wanted) }));
  }
}

/** Programs may be started, everything else is read only by intent. */
export function modeOf({ rule }: Pick<PartFile, 'rule'>): number {
  return rule === 'data' ? 0o644 : 0o755;
}

/** The order's file that an entry is, or undefined for one to pass over; throws for what no good archive holds. */
function judge(header: Header, order: UnpackOrder): PartFile | undefined {
  const name = safeName(header.name);
  if (header.type === 'directory') return undefined;
  if (header.type === 'link' || header.type === 'symlink') {
    if (order.mayHoldLinks && !order.files.some(({ from }) => from === name)) return undefined;
    throw refused(header, `it is a link to "${header.linkname}"`);
  }
  if (header.type !== 'file' && header.type !== 'contiguous-file')
    throw refused(header, `it is a ${header.type}`);
  return order.files.find(({ from }) => from === name);
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
