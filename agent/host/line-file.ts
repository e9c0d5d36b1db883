import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf } from '../core/agent-error.ts';

const chunkBytes = 65_536;
const lineFeed = 0x0a;

/** One log file, read in whole lines while somebody else appends to it. */
export class LineFile {
  readonly inode: number;
  readonly #handle: FileHandle;
  /** Where the next line begins. */
  #offset = 0;

  private constructor(handle: FileHandle, inode: number) {
    this.#handle = handle;
    this.inode = inode;
  }

  /** Undefined where there is no such file. */
  static async open(path: string): Promise<LineFile | undefined> {
    try {
      const handle = await open(path, 'r');
      const { ino } = await handle.stat();
      return new LineFile(handle, ino);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Whole lines, in batches, from where the last call ended up to the present end; one that is still being written is left. */
  async *batches(): AsyncGenerator<readonly string[]> {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let rest = Buffer.alloc(0);
    for (;;) {
      const from = this.#offset + rest.length;
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, from);
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(lineFeed) + 1;
      rest = bytes.subarray(end);
      this.#offset += end;
      if (end > 0) yield bytes.toString('utf8', 0, end - 1).split('\n');
    }
  }

  /**
   * The last lines that `accept` takes, at most `count`, oldest first; then reading goes on behind them. Only as much of the
   * file is read as that needs.
   */
  async last<T>(count: number, accept: (line: string) => T | undefined): Promise<readonly T[]> {
    const { size } = await this.#handle.stat();
    for (let window = chunkBytes; ; window *= 4) {
      const from = Math.max(0, size - window);
      const buffer = Buffer.alloc(size - from);
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, from);
      const bytes = buffer.subarray(0, bytesRead);
      const start = from === 0 ? 0 : bytes.indexOf(lineFeed) + 1;
      const end = bytes.lastIndexOf(lineFeed) + 1;
      const lines = end > start ? bytes.toString('utf8', start, end - 1).split('\n') : [];
      const accepted = lines.map(accept).filter((value) => value !== undefined);
      if (from > 0 && accepted.length < count) continue;
      this.#offset = from + end;
      return count > 0 ? accepted.slice(-count) : [];
    }
  }
}
