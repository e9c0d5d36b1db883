import { AgentError, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { RecordFile, type RecordStorage } from './record-file.ts';

/** What was done, or not done, to the board. */
export type LedgerKind = 'boot' | 'restart' | 'hold' | 'repair' | 'quarantine' | 'loss' | 'update';

/** Why something was done: what its doer knows at that moment. */
export interface LedgerEntry {
  readonly kind: LedgerKind;
  /** Unit, step or part that it was done to. */
  readonly subject: string;
  /** PascalCase word. */
  readonly reason: string;
  /** Sentence for people; never a secret. */
  readonly message: string;
  /** Lines that show it, e.g. the last lines of a log. At most 10 of 300 characters are kept. */
  readonly evidence?: readonly string[];
}

/** One entry of the book, numbered without gaps over all boots. */
export interface LedgerRecord extends LedgerEntry {
  readonly sequence: number;
  /** Wall-clock milliseconds; before the clock was set, a time in 1970. */
  readonly atMs: number;
  readonly bootId: string;
}

/** What a ledger is made of. */
export interface LedgerOptions {
  readonly storage: RecordStorage;
  readonly clock: Clock;
  readonly log: Log;
  /** Directory and file; the directory is made. */
  readonly directory: string;
  readonly bootId: string;
  /** Room on disk in bytes; the oldest half goes when it is full. @default 131072 */
  readonly maxBytes?: number;
}

/** A record on disk has at least so many bytes: its sum, number, time and boot id alone. */
const leastBytes = 100;
const maxLines = 10;
const maxLineLength = 300;
const maxMessageLength = 1_024;

/** Book of every restart, hold and repair with its evidence: bounded, on disk, and whole after any crash. */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #file: RecordFile;
  readonly #maxBytes: number;
  readonly #listeners = new Set<(record: LedgerRecord) => void>();
  #records: LedgerRecord[] = [];
  #queue: Promise<void> = Promise.resolve();
  #isStarted = false;
  #isLoaded = false;
  /** Number of the newest record on disk. */
  #stored = 0;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#file = new RecordFile(options.storage, `${options.directory}/ledger.records`);
    this.#maxBytes = options.maxBytes ?? 131_072;
  }

  /** Reads the book of earlier boots. Where that cannot be done it is tried again with each record, and nothing is written before. */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#load());
    this.#isStarted = true;
  }

  /** Waits until everything written so far is on disk, or was refused by it. */
  async stop(): Promise<void> {
    await this.#queue;
  }

  /** Number of the newest record; 0 where there is none. */
  get lastSequence(): number {
    return this.#records.at(-1)?.sequence ?? 0;
  }

  /** Writes one record. It can be read at once; the promise resolves when it is on disk or the disk has refused it. */
  write(entry: LedgerEntry): { readonly record: LedgerRecord; readonly onDisk: Promise<void> } {
    if (!this.#isStarted) throw new AgentError('BUG', 'Cannot write to the ledger: it was not started');
    const record: LedgerRecord = {
      sequence: this.lastSequence + 1,
      atMs: this.#options.clock.wallMs(),
      bootId: this.#options.bootId,
      ...trimmed(entry),
    };
    this.#records.push(record);
    // No file within its room holds so many: only a disk that refuses everything lets them grow.
    if (this.#records.length > this.#maxBytes / leastBytes)
      this.#records = this.#records.slice(Math.ceil(this.#records.length / 2));
    for (const listener of this.#listeners) listener(record);
    return { record, onDisk: this.#inTurn(() => this.#store()) };
  }

  /** Records after a sequence number, oldest first. */
  after(sequence: number, limit: number): readonly LedgerRecord[] {
    return this.#records.filter((record) => record.sequence > sequence).slice(0, limit);
  }

  /** The newest records, oldest first. */
  newest(limit: number): readonly LedgerRecord[] {
    return this.#records.slice(-limit);
  }

  /** Calls back for each record from now on; the returned function ends it. */
  watch(listener: (record: LedgerRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #load(): Promise<void> {
    const { storage, directory, log } = this.#options;
    await storage.files.makeDirectory(directory, 0o700);
    const { values, damaged } = await this.#file.load();
    const known = new Map<number, LedgerRecord>();
    for (const record of values.filter(isRecord)) known.set(record.sequence, record);
    const earlier = [...known.values()].sort((a, b) => a.sequence - b.sequence);
    this.#stored = earlier.at(-1)?.sequence ?? 0;
    // What was noted while the book could not be read comes after what is in it.
    const late = this.#records.map((record, index) => ({ ...record, sequence: this.#stored + index + 1 }));
    this.#records = [...earlier, ...late];
    this.#isLoaded = true;
    if (damaged > 0) log.warn('ledger.damaged', { lines: damaged });
  }

  /** Writes everything that is not on disk yet. */
  async #store(): Promise<void> {
    if (!this.#isLoaded) await this.#load();
    const fresh = this.#records.filter(({ sequence }) => sequence > this.#stored);
    if (fresh.length === 0) return;
    await this.#file.append(fresh);
    this.#stored = fresh.at(-1)?.sequence ?? this.#stored;
    if (this.#file.bytes <= this.#maxBytes) return;
    this.#records = this.#records.slice(Math.ceil(this.#records.length / 2));
    await this.#file.rewrite(this.#records.filter(({ sequence }) => sequence <= this.#stored));
  }

  /** One disk operation after the other; a refusal is logged and the book goes on in memory. */
  #inTurn(act: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(act).catch((error: unknown) => {
      this.#options.log.warn('ledger.refused', { error: messageOf(error) });
    });
    return this.#queue;
  }
}

function trimmed(entry: LedgerEntry): LedgerEntry {
  const { kind, subject, reason } = entry;
  const message = entry.message.slice(0, maxMessageLength);
  if (entry.evidence === undefined) return { kind, subject, reason, message };
  const evidence = entry.evidence.slice(-maxLines).map((line) => line.slice(0, maxLineLength));
  return { kind, subject, reason, message, evidence };
}

function isRecord(value: unknown): value is LedgerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<LedgerRecord>;
  return Number.isSafeInteger(record.sequence) && typeof record.reason === 'string';
}
