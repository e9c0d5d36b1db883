import { encodeRecord } from '../core/record-lines.ts';

/** Something that somebody outside should hear. */
export type News =
  /** How things are: only the newest of a key is worth telling. */
  | { readonly kind: 'state'; readonly key: string; readonly body: unknown }
  /** What happened: every one counts. */
  | { readonly kind: 'event'; readonly body: unknown };

/** News with its place in the order, or the number of events that had to be given up before it. */
export type Waiting = { readonly sequence: number } & (
  | News
  | { readonly kind: 'loss'; readonly count: number }
);

type Numbered = { readonly sequence: number } & News;

/** News that waits, with the length of its record. */
interface Entry {
  readonly item: Numbered;
  readonly bytes: number;
}

/** How much may wait. */
export interface BacklogLimits {
  readonly items: number;
  /** Sum of the lengths of their records on disk. */
  readonly bytes: number;
}

/**
 * What a change of the backlog is on disk. The first word says what it is; then comes the number of the news, for a
 * loss that of the last event given up and how many were given up, or told of, by this change.
 */
export type BacklogRecord =
  | readonly ['next', number]
  | readonly ['state', number, string, unknown]
  | readonly ['event', number, unknown]
  | readonly ['loss', number, number]
  | readonly ['told', number, number]
  | readonly ['done', number];

/**
 * Unsent news in order. A new state takes the place of an older one of its key, at the end of the order. Where there
 * is no room, the oldest events are given up first and their number waits in their place.
 */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #waiting = new Map<number, Entry>();
  readonly #states = new Map<string, number>();
  #bytes = 0;
  #next = 1;
  /** Losses not yet told. The first may be under way to somebody, so only the last one still grows. */
  #losses: { readonly sequence: number; readonly count: number }[] = [];
  /** Newest loss that `first` has shown. */
  #shownLoss = 0;

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  /** Number of news that wait, a loss counted as one. */
  get size(): number {
    return this.#waiting.size + this.#losses.length;
  }

  /** Sum of the lengths of the records of what waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number that the next news will get. */
  get nextSequence(): number {
    return this.#next;
  }

  /** What must be written down for news: the news, then what has to go for it. `apply` makes it so, once that is done. */
  plan(news: News): readonly [BacklogRecord, ...BacklogRecord[]] {
    const record = recordOf(this.#next, news);
    const newcomer = entryOf({ ...news, sequence: this.#next });
    const older = news.kind === 'state' ? this.#states.get(news.key) : undefined;
    const taken = older === undefined ? undefined : this.#waiting.get(older);
    const items = this.#waiting.size + (taken === undefined ? 1 : 0);
    return [record, ...this.#givenUp(items, this.#bytes + newcomer.bytes - (taken?.bytes ?? 0), [newcomer])];
  }

  /** Gives up the oldest events until the limits hold. */
  shrink(): void {
    for (const loss of this.#givenUp(this.#waiting.size, this.#bytes, [])) this.apply(loss);
  }

  /** The loss of the oldest events of what waits and what comes, so that so many items and bytes come below the limits. */
  #givenUp(items: number, bytes: number, coming: readonly Entry[]): readonly BacklogRecord[] {
    const isOver = (): boolean => items > this.#limits.items || bytes > this.#limits.bytes;
    if (!isOver()) return [];
    let last = 0;
    let count = 0;
    for (const { item, bytes: size } of [...this.#waiting.values(), ...coming]) {
      if (!isOver()) break;
      if (item.kind !== 'event') continue;
      last = item.sequence;
      count += 1;
      items -= 1;
      bytes -= size;
    }
    return count === 0 ? [] : [['loss', last, count]];
  }

  /** The oldest news; the loss comes where the lost events were. */
  first(): Waiting | undefined {
    return this.oldest(1)[0];
  }

  /** The oldest news in order, at most so many. */
  oldest(limit: number): readonly Waiting[] {
    const items: Waiting[] = [];
    for (const { item } of this.#waiting.values()) {
      if (items.length >= limit) break;
      items.push(item);
    }
    const loss = this.#losses[0];
    if (loss === undefined) return items;
    this.#shownLoss = loss.sequence;
    const told: Waiting = { kind: 'loss', ...loss };
    const ordered = [...items, told].sort((a, b) => a.sequence - b.sequence);
    return ordered.slice(0, limit);
  }

  /** What must be written down for delivered news. `apply` takes it away. */
  finish(sequence: number): BacklogRecord {
    const loss = this.#losses[0];
    const isLoss = loss?.sequence === sequence && this.#shownLoss === sequence;
    return isLoss ? ['told', sequence, loss.count] : ['done', sequence];
  }

  /** Takes a record of the disk, or one just made. Records of an unknown form are ignored. */
  apply(record: BacklogRecord): void {
    const [word, sequence] = record;
    if (word !== 'next') this.#next = Math.max(this.#next, sequence + 1);
    switch (word) {
      case 'next':
        this.#next = Math.max(this.#next, sequence);
        break;
      case 'state':
        this.#put({ kind: 'state', sequence, key: record[2], body: record[3] });
        break;
      case 'event':
        this.#put({ kind: 'event', sequence, body: record[2] });
        break;
      case 'loss':
        this.#lose(sequence, record[2]);
        break;
      case 'told':
        this.#tell(record[2]);
        break;
      case 'done':
        this.#remove(sequence);
        break;
    }
  }

  /** Everything that waits as the shortest list of records. */
  records(): readonly BacklogRecord[] {
    const items = [...this.#waiting.values()].map(({ item }) => recordOf(item.sequence, item));
    // Before the events that remain: a loss removes older ones when it is read back.
    const losses = this.#losses.map(({ sequence, count }) => ['loss', sequence, count] as const);
    return [['next', this.#next], ...losses, ...items];
  }

  #put(item: Numbered): void {
    // A file of an earlier release may hold a record twice.
    this.#remove(item.sequence);
    if (item.kind === 'state') {
      const older = this.#states.get(item.key);
      if (older !== undefined) this.#remove(older);
      this.#states.set(item.key, item.sequence);
    }
    const entry = entryOf(item);
    this.#waiting.set(item.sequence, entry);
    this.#bytes += entry.bytes;
  }

  #remove(sequence: number): void {
    const entry = this.#waiting.get(sequence);
    if (entry === undefined) return;
    this.#waiting.delete(sequence);
    this.#bytes -= entry.bytes;
    if (entry.item.kind === 'state' && this.#states.get(entry.item.key) === sequence) {
      this.#states.delete(entry.item.key);
    }
  }

  #lose(sequence: number, count: number): void {
    const last = this.#losses.at(-1);
    if (last !== undefined && last.sequence > this.#shownLoss) {
      this.#losses[this.#losses.length - 1] = { sequence, count: last.count + count };
    } else this.#losses.push({ sequence, count });
    // Deleting from a map while walking it is allowed.
    for (const { item } of this.#waiting.values()) {
      if (item.sequence > sequence) return;
      if (item.kind === 'event') this.#remove(item.sequence);
    }
  }

  /** Takes told events off the count. Read back from disk, all losses stand as one. */
  #tell(count: number): void {
    const [first, ...others] = this.#losses;
    if (first === undefined) return;
    const left = first.count - count;
    this.#losses = left > 0 ? [{ ...first, count: left }, ...others] : others;
  }
}

/** Checks the form of a record that comes from disk. */
export function isBacklogRecord(value: unknown): value is BacklogRecord {
  if (!Array.isArray(value) || !Number.isSafeInteger(value[1])) return false;
  switch (value[0]) {
    case 'next':
    case 'done':
      return value.length === 2;
    case 'event':
      return value.length === 3;
    case 'loss':
    case 'told':
      return Number.isSafeInteger(value[2]);
    case 'state':
      return value.length === 4 && typeof value[2] === 'string';
    default:
      return false;
  }
}

function entryOf(item: Numbered): Entry {
  return { item, bytes: encodeRecord(recordOf(item.sequence, item)).length };
}

function recordOf(sequence: number, news: News): BacklogRecord {
  return news.kind === 'state' ? ['state', sequence, news.key, news.body] : ['event', sequence, news.body];
}
