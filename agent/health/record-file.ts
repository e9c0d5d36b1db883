import { AgentError, isAgentError } from '../core/agent-error.ts';
import type { AppendFiles } from '../core/append-files.ts';
import type { Files } from '../core/files.ts';
import { decodeRecords, encodeRecord } from '../core/record-lines.ts';

/** Longest record file that is read back, in bytes. */
const maxFileBytes = 4_194_304;

/** The two ports that a record file needs. */
export interface RecordStorage {
  readonly files: Files;
  readonly appends: AppendFiles;
}

/** What was found in a record file. */
export interface LoadedRecords {
  readonly values: readonly unknown[];
  /** Damaged lines besides one torn at the end, which every power cut may leave. */
  readonly damaged: number;
}

/**
 * A file of records that grows by appending and is rewritten whole to shrink. After a crash at any point every record
 * whose append had resolved is there, in order.
 */
export class RecordFile {
  readonly #storage: RecordStorage;
  readonly #path: string;
  #bytes = 0;
  /** Until then nobody knows what is in it, and it must not be written. */
  #isLoaded = false;

  constructor(storage: RecordStorage, path: string) {
    this.#storage = storage;
    this.#path = path;
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads the file and repairs it; a damaged one is kept beside as `<path>.broken-1`. One that cannot be read just now is left
   * as it is and rejects with FILE_FAILED; the same may be asked again.
   */
  async load(): Promise<LoadedRecords> {
    const text = await this.#read();
    if (text === undefined) {
      await this.#storage.files.setAside(this.#path);
      this.#isLoaded = true;
      return { values: [], damaged: 1 };
    }
    const { values, broken, isTorn } = decodeRecords(text);
    this.#bytes = text.length;
    this.#isLoaded = true;
    if (!isTorn && broken === 0) return { values, damaged: 0 };
    const damaged = Math.max(0, broken - (isTorn ? 1 : 0));
    if (damaged > 0)
      await this.#storage.files.replace(`${this.#path}.broken-1`, text.replace(/[^ -~\n]/g, '?'), {
        mode: 0o600,
      });
    await this.rewrite(values);
    return { values, damaged };
  }

  /** Adds records in one piece; they survive a power cut once this resolves. */
  async append(values: readonly unknown[]): Promise<void> {
    this.#requireLoaded();
    const text = values.map(encodeRecord).join('');
    await this.#storage.appends.append(this.#path, text);
    this.#bytes += text.length;
  }

  /** Puts these records in place of all others, at once or not at all. */
  async rewrite(values: readonly unknown[]): Promise<void> {
    this.#requireLoaded();
    const text = values.map(encodeRecord).join('');
    await this.#storage.files.replace(this.#path, text, { mode: 0o600 });
    this.#bytes = text.length;
  }

  /** Undefined where it is longer than any of ours. */
  async #read(): Promise<string | undefined> {
    try {
      return (await this.#storage.files.read(this.#path, maxFileBytes)) ?? '';
    } catch (error) {
      if (isAgentError(error, 'TOO_LARGE')) return undefined;
      throw error;
    }
  }

  #requireLoaded(): void {
    if (this.#isLoaded) return;
    throw new AgentError('FILE_FAILED', `Cannot write "${this.#path}": it could not be read so far`);
  }
}
