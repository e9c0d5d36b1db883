import { AgentError } from '../core/agent-error.ts';
import { RecordFile, type RecordStorage } from '../health/record-file.ts';
import { Backlog, type BacklogLimits, isBacklogRecord, type News, type Waiting } from './backlog.ts';

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
 * the one that was being delivered during a crash may be delivered again, under the same number.
 */
export class Spool {
  readonly #file: RecordFile;
  readonly #limits: BacklogLimits;
  #backlog: Backlog;
  #queue: Promise<void> = Promise.resolve();
  /** Changes in memory whose append has not ended yet. */
  #unwritten = 0;

  constructor(options: SpoolOptions) {
    this.#limits = options.limits ?? defaultLimits;
    this.#file = new RecordFile(options.storage, options.path);
    this.#backlog = new Backlog(this.#limits);
  }

  /** Reads what an earlier agent left. Returns the number of damaged records. */
  async start(): Promise<number> {
    const { values, damaged } = await this.#file.load();
    const backlog = new Backlog(this.#limits);
    for (const value of values) if (isBacklogRecord(value)) backlog.apply(value);
    backlog.shrink();
    this.#backlog = backlog;
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
    const records = this.#backlog.add(news);
    return this.#inTurn(async () => {
      await this.#file.append(records);
      await this.#compact();
      return records[0][1];
    });
  }

  /** The oldest news, which stays until it is done. */
  first(): Waiting | undefined {
    return this.#backlog.first();
  }

  /** The oldest news, at most so many. */
  waiting(limit: number): readonly Waiting[] {
    return this.#backlog.oldest(limit);
  }

  /** News with this number was delivered; resolves when that is on disk. */
  done(sequence: number): Promise<void> {
    const record = this.#backlog.finish(sequence);
    return this.#inTurn(async () => {
      await this.#file.append([record]);
      await this.#compact();
    });
  }

  async #compact(): Promise<void> {
    // Changes that still wait for their append are in memory already; written down twice they would count twice.
    if (this.#unwritten > 1) return;
    if (this.#file.bytes < smallBytes || this.#file.bytes < 3 * this.#backlog.bytes) return;
    await this.#file.rewrite(this.#backlog.records());
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    this.#unwritten += 1;
    const result = this.#queue.then(act);
    const over = (): void => {
      this.#unwritten -= 1;
    };
    this.#queue = result.then(over, over);
    return result;
  }
}
