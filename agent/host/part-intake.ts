import { createHash } from 'node:crypto';
import { closeSync, constants, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { access, chmod, type FileHandle, mkdir, open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Script } from 'node:vm';
import { createGunzip } from 'node:zlib';
import { AgentError, errnoOf, isAbort, isAgentError, messageOf } from '../core/agent-error.ts';
import { type ByteSource, type ElfFacts, readElf } from '../core/elf.ts';
import type { IntakeFacts, IntakeOrder, PartIntake, Taken } from '../core/part-intake.ts';
import { fixFor } from './file-fix.ts';
import { readArchive } from './read-archive.ts';

/** Most entries of an archive; KubeEdge's release has a dozen, the whole product some hundred. */
const maxEntries = 5_000;
/** Longest JavaScript bundle that is looked at, in bytes. */
const maxScriptBytes = 16_777_216;
/** Bytes from the start that tell what a file is: the mark of a tar archive lies at 257. */
const headBytes = 262;

type Format = 'gzip' | 'tar' | 'xz' | 'zstd' | 'bzip2' | 'zip' | 'plain';

/** Files that people hand in, on the machine's disk. */
export class HostPartIntake implements PartIntake {
  async look(file: string): Promise<IntakeFacts> {
    const handle = await openGiven(file);
    try {
      const { size } = await handle.stat();
      const format = formatOf(await readAt(handle, 0, headBytes));
      if (format !== 'gzip') return { bytes: size, claimedBytes: size };
      // A gzip file ends with the length of its content modulo 2^32 (RFC 1952, ISIZE).
      const tail = await readAt(handle, Math.max(0, size - 4), 4);
      const claimed = tail.length === 4 ? tail.readUInt32LE(0) : 0;
      return { bytes: size, claimedBytes: Math.max(size, claimed) };
    } finally {
      await handle.close();
    }
  }

  async take(order: IntakeOrder, signal: AbortSignal): Promise<Taken> {
    const handle = await openGiven(order.file);
    try {
      const format = formatOf(await readAt(handle, 0, headBytes));
      const packed = packers[format];
      if (packed !== undefined) {
        throw refused(order.file, `it is packed with ${packed}; unpack it and pack it as .tar.gz`);
      }
      const hash = createHash('sha256');
      const source = handle.createReadStream({ start: 0, autoClose: false, signal });
      const hashing = passing((chunk) => void hash.update(chunk));
      const files =
        format === 'plain'
          ? await takeSingle([source, hashing], order)
          : await takeArchive(
              format === 'gzip' ? [source, hashing, createGunzip()] : [source, hashing],
              order,
            );
      const kind = format === 'plain' ? 'single' : 'archive';
      return { sha256: hash.digest('hex'), kind, files };
    } catch (error) {
      if (isAgentError(error, 'INPUT_INVALID'))
        throw new AgentError('PART_REFUSED', error.message, { cause: error });
      if (isAgentError(error) || isAbort(error)) throw error;
      const why = errnoOf(error) ?? messageOf(error);
      throw refused(order.file, `${why}${fixFor(why) || '; take another copy'}`, error);
    } finally {
      await handle.close();
    }
  }

  async readElf(file: string): Promise<ElfFacts | { readonly problem: string }> {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return await Promise.resolve(readElf(sourceOf(descriptor)));
    } catch (error) {
      return { problem: messageOf(error) };
    } finally {
      closeSync(descriptor);
    }
  }

  async scriptProblem(file: string): Promise<string | undefined> {
    const { size } = await stat(file);
    if (size > maxScriptBytes) return `has ${size} bytes, want at most ${maxScriptBytes}`;
    try {
      // Compiles only; nothing of it runs.
      void new Script(await readFile(file, 'utf8'), { filename: path.basename(file) });
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async mayRun(file: string): Promise<boolean> {
    return access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
  }
}

const packers: Readonly<Partial<Record<Format, string>>> = {
  xz: 'xz',
  zstd: 'zstd',
  bzip2: 'bzip2',
  zip: 'zip',
};

/** Tells a file by its first bytes, never by its name. */
function formatOf(head: Buffer): Format {
  const begins = (...bytes: readonly number[]): boolean =>
    head.length >= bytes.length && bytes.every((byte, index) => head[index] === byte);
  if (begins(0x1f, 0x8b)) return 'gzip';
  if (begins(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return 'xz';
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (begins(0x42, 0x5a, 0x68)) return 'bzip2';
  if (begins(0x50, 0x4b, 0x03, 0x04)) return 'zip';
  return head.toString('latin1', 257, 262) === 'ustar' ? 'tar' : 'plain';
}

async function takeSingle(
  source: readonly [Readable, Transform],
  { folder, single, maxBytes, file }: IntakeOrder,
): Promise<ReadonlyMap<string, number>> {
  const target = path.join(folder, single.to);
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  let bytes = 0;
  const counting = passing((chunk) => {
    bytes += chunk.length;
    if (bytes > maxBytes) throw refused(file, `it has more than ${maxBytes} bytes`);
  });
  await pipeline([...source, counting, createWriteStream(target, { flags: 'wx', mode: single.mode })]);
  await chmod(target, single.mode);
  return new Map([[single.to, bytes]]);
}

async function takeArchive(
  source: readonly [Readable, ...Transform[]],
  { folder, wanted, mayHoldLinks, maxBytes }: IntakeOrder,
): Promise<ReadonlyMap<string, number>> {
  return readArchive(source, folder, {
    limits: { entries: maxEntries, bytes: maxBytes },
    mayHoldLinks,
    wanted,
  });
}

/** Passes data on and shows it to somebody who may refuse it by throwing. */
function passing(see: (chunk: Buffer) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        see(chunk);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

/** Opens an ordinary file; a pipe or a device at that path must neither hold us nor never end. */
async function openGiven(file: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error) ?? messageOf(error);
    const why =
      errno === 'ENOENT'
        ? 'it does not exist where the agent looks; copy it below /data'
        : `${errno}; copy it below /data`;
    throw refused(file, why, error);
  }
  const found = await handle.stat();
  if (found.isFile() && found.size > 0) return handle;
  await handle.close();
  const what = found.isFile() ? 'it is empty; take another copy' : 'it is no ordinary file; name a file';
  throw refused(file, what);
}

async function readAt(handle: FileHandle, offset: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, offset);
  return buffer.subarray(0, bytesRead);
}

function sourceOf(descriptor: number): ByteSource {
  const { size } = fstatSync(descriptor);
  return {
    length: size,
    read(offset, wanted) {
      const bytes = Buffer.alloc(wanted);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, wanted, offset));
    },
  };
}

function refused(file: string, problem: string, cause?: unknown): AgentError {
  return new AgentError('PART_REFUSED', `Cannot take "${file}": ${problem}`, { cause });
}
