import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  unlinkSync,
} from 'node:fs';
import { copyFile, type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { Files, ReplaceOptions } from '../core/files.ts';
import { fixFor } from './file-fix.ts';
import { makeDirectories, syncMade } from './make-directories.ts';
import { syncPath } from './sync-path.ts';

const defaultMaxBytes = 1_048_576;
/** Broken files kept beside a good one; the oldest number is used again after that. */
const keptBroken = 5;

/** Files of the machine. Every failure is a FILE_FAILED that names the path and the errno word. */
export class FileStore implements Files {
  #sequence = 0;
  /** Directories in which leftovers of killed agents were looked for. */
  readonly #swept = new Set<string>();

  /**
   * Synchronous inside: the files are small, and whoever reads one at the start of the agent would otherwise wait for threads
   * that are only made for it.
   */
  async read(file: string, maxBytes = defaultMaxBytes): Promise<string | undefined> {
    await Promise.resolve();
    let descriptor: number;
    try {
      // Not blocking, or a named pipe at that path would hold the agent for ever.
      descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failed('read', file, error);
    }
    try {
      if (fstatSync(descriptor).isFIFO()) throw failed('read', file, 'it is a named pipe; put a file there');
      return readUpTo(descriptor, file, maxBytes);
    } catch (error) {
      throw error instanceof AgentError ? error : failed('read', file, error);
    } finally {
      closeSync(descriptor);
    }
  }

  async replace(file: string, text: string, options: ReplaceOptions = {}): Promise<void> {
    await this.#place('write', file, options.mode ?? 0o644, (handle) => handle.writeFile(text));
  }

  async copy(from: string, to: string, mode: number): Promise<void> {
    await this.#place('copy', to, mode, (_handle, temporary) => copyFile(from, temporary));
  }

  async move(from: string, to: string): Promise<void> {
    try {
      await rename(from, to);
      await syncPath(path.dirname(to));
    } catch (error) {
      if (!isAbsent(error)) throw failed('move', from, error);
    }
  }

  /** Fills a file beside the place, brings it to the disk, and only then gives it its name. */
  async #place(
    act: string,
    file: string,
    mode: number,
    fill: (handle: FileHandle, temporary: string) => Promise<void>,
  ): Promise<void> {
    this.#sequence += 1;
    const temporary = `${file}.new-${process.pid}-${this.#sequence}`;
    this.#sweep(path.dirname(file));
    try {
      const handle = await open(temporary, 'w', mode);
      try {
        await fill(handle, temporary);
        await handle.chmod(mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, file);
      await syncPath(path.dirname(file));
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw failed(act, file, error);
    }
  }

  async setAside(file: string): Promise<string | undefined> {
    try {
      const names = new Set(await readdir(path.dirname(file)));
      const base = path.basename(file);
      const free = range(keptBroken).find((index) => !names.has(`${base}.broken-${index}`)) ?? keptBroken;
      const target = `${file}.broken-${free}`;
      await rename(file, target);
      await syncPath(path.dirname(file));
      return target;
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw failed('set aside', file, error);
    }
  }

  async makeDirectory(directory: string, mode = 0o755): Promise<void> {
    await Promise.resolve();
    try {
      await syncMade(directory, makeDirectories(directory, mode));
    } catch (error) {
      throw failed('make directory', directory, error);
    }
  }

  async remove(file: string): Promise<void> {
    this.#sweep(path.dirname(file));
    try {
      // Opened before: what could not be brought to the disk is not removed, and may be tried again.
      const folder = await open(path.dirname(file), 'r');
      try {
        await unlink(file);
        await folder.sync();
      } finally {
        await folder.close();
      }
    } catch (error) {
      if (!isAbsent(error)) throw failed('remove', file, error);
    }
  }

  /**
   * Removes what agents that were killed within `replace` left: it may hold a token, and each one costs room for ever. Once
   * for a directory and in one go, so that nothing in it is of this agent.
   */
  #sweep(directory: string): void {
    if (this.#swept.has(directory)) return;
    this.#swept.add(directory);
    try {
      for (const name of readdirSync(directory)) {
        const pid = /\.new-(\d+)-\d+$/.exec(name)?.[1];
        const isOver = pid === String(process.pid) || !existsSync(`/proc/${pid}`);
        if (pid !== undefined && isOver) unlinkSync(path.join(directory, name));
      }
    } catch {
      // What is wrong with the directory is said by whoever writes into it.
    }
  }

  async list(directory: string): Promise<readonly string[]> {
    try {
      return (await readdir(directory)).sort();
    } catch (error) {
      if (isAbsent(error)) return [];
      throw failed('list', directory, error);
    }
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function isAbsent(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}

function failed(act: string, file: string, error: unknown): AgentError {
  const why = errnoOf(error) ?? messageOf(error);
  return new AgentError('FILE_FAILED', `Cannot ${act} "${file}": ${why}${fixFor(why)}`, { cause: error });
}

/** Reads to the end; files of /proc say size 0, so the size is not believed. */
function readUpTo(descriptor: number, file: string, maxBytes: number): string {
  const chunks: Buffer[] = [];
  let total = 0;
  for (let size = 4_096; ; size = 65_536) {
    const chunk = Buffer.allocUnsafe(size);
    const length = readSync(descriptor, chunk, 0, size, null);
    if (length === 0) return Buffer.concat(chunks).toString('utf8');
    total += length;
    if (total > maxBytes) {
      throw new AgentError(
        'TOO_LARGE',
        `Cannot read "${file}": more than ${maxBytes} bytes, want at most that`,
      );
    }
    chunks.push(chunk.subarray(0, length));
  }
}
