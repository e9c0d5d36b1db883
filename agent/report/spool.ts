import { AgentError } from '../core/agent-error.ts';
import { RecordFile, type RecordStorage } from '../health/record-file.ts';
import {
  Backlog,
  type BacklogLimits,
  type BacklogRecord,
  isBacklogRecord,
  type News,
  type Waiting,
} from './backlog.ts';

/** What a spool is made of. */
export interface SpoolOptions {
  readonly storage: RecordStorage;
  readonly path: string;
  /** @default 1000 items, 262144 bytes */
  readonly limits?: BacklogLimits;
}

const defaultLimits: BacklogLimits = { items: 1_000, bytes: 262_144 };
/** A file below this length is not worth rewriting. */
const smallBytes = 16_384;

/**
 * Unsent news on disk. What `put` has resolved for survives any crash and is delivered at least once, in order; only
 * the one that was being delivered during a crash may be delivered again, under the same number. Memory follows the
 * disk: news that is not written down yet is shown to nobody, or a crash would give its number to other news, and takes
 * no older state away, which would come again after others that were newer.
 */
export class Spool {
  readonly #file: RecordFile;
  readonly #limits: BacklogLimits;
  #backlog: Backlog;
  #queue: Promise<void> = Promise.resolve();
  /** The disk has refused a change: the file no longer says what is in memory, and appending would not mend that. */
  #isBehind = false;
  #isLoaded = false;

  constructor(options: SpoolOptions) {
    this.#limits = options.limits ?? defaultLimits;
    this.#file = new RecordFile(options.storage, options.path);
    this.#backlog = new Backlog(this.#limits);
  }

  /**
   * Reads what an earlier agent left. Returns the number of damaged records. Where it cannot be read just now it is tried again
   * before each change, which is refused until then: it would take numbers that were given to other news.
   */
  async start(): Promise<number> {
    const { values, damaged } = await this.#file.load();
    const backlog = new Backlog(this.#limits);
    for (const value of values) if (isBacklogRecord(value)) backlog.apply(value);
    backlog.shrink();
    this.#backlog = backlog;
    this.#isLoaded = true;
    return damaged;
  }

  /** Waits until everything that was put is on disk, or was refused by it. */
  async stop(): Promise<void> {
    await this.#queue;
  }

  /** Number of news that wait. */
  get size(): number {
    return this.#backlog.size;
  }

  /**
   * Adds news. Resolves with its number once it is on disk; rejects with FILE_FAILED where the disk refuses, and then
   * the news waits in memory only. News longer than a quarter of the room is refused with TOO_LARGE.
   */
  put(news: News): Promise<number> {
    const length = JSON.stringify(news.body)?.length ?? 0;
    if (length > this.#limits.bytes / 4) {
      const text = `Cannot keep news of ${length} bytes: want at most ${this.#limits.bytes / 4}`;
      return Promise.reject(new AgentError('TOO_LARGE', text));
    }
    return this.#change(() => this.#backlog.plan(news)).then(([[, sequence]]) => sequence);
  }

  /** The oldest news, which stays until it is done. */
  first(): Waiting | undefined {
    return this.#backlog.first();
  }

  /** The oldest news, at most so many. */
  waiting(limit: number): readonly Waiting[] {
    return this.#backlog.oldest(limit);
  }

  /**
   * News with this number was delivered; resolves when that is on disk. A disk that refuses it costs a repetition after a
   * restart and must not keep the next news from being delivered: a full disk is news itself.
   */
  async done(sequence: number): Promise<void> {
    await this.#change(() => [this.#backlog.finish(sequence)]).catch(() => undefined);
  }

  /** Gives up everything that waits; numbers go on. */
  clear(): Promise<void> {
    const result = this.#queue.then(async () => {
      if (!this.#isLoaded) await this.start();
      const number = ['next', this.#backlog.nextSequence] as const;
      this.#backlog = new Backlog(this.#limits);
      this.#backlog.apply(number);
      await this.#rewrite();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  /** One change after the other: planned, written down, and then so in memory, there also where the disk refuses it. */
  #change<R extends readonly BacklogRecord[]>(plan: () => R): Promise<R> {
    const result = this.#queue.then(async () => {
      if (!this.#isLoaded) await this.start();
      const records = plan();
      try {
        await this.#store(records);
      } finally {
        for (const record of records) this.#backlog.apply(record);
      }
      // What has to be safe is safe already.
      if (this.#isLong) await this.#rewrite().catch(() => undefined);
      return records;
    });
    const over = (): void => undefined;
    this.#queue = result.then(over, over);
    return result;
  }

  async #store(records: readonly BacklogRecord[]): Promise<void> {
    if (this.#isBehind) await this.#rewrite();
    this.#isBehind = true;
    await this.#file.append(records);
    this.#isBehind = false;
  }

  get #isLong(): boolean {
    return this.#file.bytes >= smallBytes && this.#file.bytes >= 3 * this.#backlog.bytes;
  }

  async #rewrite(): Promise<void> {
    await this.#file.rewrite(this.#backlog.records());
    this.#isBehind = false;
  }
}
