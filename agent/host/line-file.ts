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
    for (;;) {
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset);
      // What is longer than any line that was written, such as the zero bytes of a power cut, is passed on in pieces.
      const end = bytesRead === buffer.length ? bytesRead : 0;
      const until = buffer.subarray(0, bytesRead).lastIndexOf(lineFeed) + 1 || end;
      if (until === 0) return;
      this.#offset += until;
      const text = buffer.toString('utf8', 0, until);
      yield (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    }
  }

  /** Goes to the first line that begins in the last `bytes` of the file; says whether there is anything before. */
  async toLast(bytes: number): Promise<boolean> {
    const { size } = await this.#handle.stat();
    this.#offset = Math.max(0, size - bytes);
    if (this.#offset === 0) return false;
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#offset);
    this.#offset += buffer.subarray(0, bytesRead).indexOf(lineFeed) + 1;
    return true;
  }
}
