import { stat } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import type { LogQuery, UnitLogLine } from '../core/unit-logs.ts';
import { LineFile } from './line-file.ts';
import { type StreamLetter, stampLength, stampPattern } from './line-stamper.ts';
import { logFiles } from './rotating-file.ts';
import type { Turns } from './turns.ts';

/** What is read and how. */
export interface LogReading {
  /** The current file. */
  readonly file: string;
  /** Files kept, the current one included. */
  readonly files: number;
  readonly query: LogQuery;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** In which many lines are read. */
  readonly turns: Turns;
}

const maxCount = 100_000;
/** Most text of kept lines that is held in memory; older lines are left out, whatever the count. */
const maxCharacters = 4_000_000;
/** The same for one who follows: it is held for as long as he takes to read it. */
const maxFollowedCharacters = 1_000_000;
/** More lines than these are read in turn: a crowd of askers must cost no more memory than a few. */
const fewLines = 1_000;
/** How much of a file's end is looked at first, in bytes: more than lies between two lines that have their time. */
const firstWindow = 131_072;
/** Milliseconds between two looks for new lines. */
const followMs = 250;
const streams = { o: 'out', e: 'err', a: 'agent' } as const;

/** Yields the kept lines, oldest first, then new ones while the query follows. */
export async function* readLines(reading: LogReading): AsyncGenerator<UnitLogLine> {
  const { query, signal, clock } = reading;
  const reader = new LogReader(reading);
  try {
    const kept = query.count === undefined ? reader.everything() : await lastLines(reader, reading);
    for await (const batch of kept) yield* batch;
    while (query.isFollowing === true && !signal.aborted) {
      for await (const batch of reader.fresh()) yield* batch;
      await clock.sleep(followMs, signal).catch(() => undefined);
    }
  } finally {
    await reader.close();
  }
}

async function lastLines(reader: LogReader, { query, turns, signal }: LogReading): Promise<readonly Batch[]> {
  const count = Math.min(query.count ?? maxCount, maxCount);
  const characters = query.isFollowing === true ? maxFollowedCharacters : maxCharacters;
  const read = (): Promise<readonly Batch[]> => reader.last({ count, characters });
  return count <= fewLines ? read() : turns.run(signal, read);
}

/** Reads stored lines one after another; undefined for a line that has no time, and no line above that has one. */
export type LineParser = (line: string) => UnitLogLine | undefined;

/** The agent writes JSON. A line of a unit has time and stream in front, or those of the line above. */
export function lineParser(unit: string): LineParser {
  if (unit === 'agent') return (line) => parseOwn(unit, line);
  let above: Pick<UnitLogLine, 'atMs' | 'stream'> | undefined;
  return (line) => {
    const [stamp, time = '', letter] = stampPattern.exec(line) ?? [];
    if (stamp !== undefined) above = { atMs: Date.parse(time), stream: streams[letter as StreamLetter] };
    if (above === undefined) return undefined;
    return { ...above, unit, text: stamp === undefined ? line : line.slice(stampLength) };
  };
}

function parseOwn(unit: string, line: string): UnitLogLine | undefined {
  const at = /^\{"at":"([^"]{24})"/.exec(line)?.[1];
  const atMs = Date.parse(at ?? '');
  return Number.isNaN(atMs) ? undefined : { atMs, unit, stream: 'agent', text: line };
}

/** Lines that were read together: passing them on one by one through several generators is slow. */
type Batch = readonly UnitLogLine[];

class LogReader {
  readonly #reading: LogReading;
  readonly #isWanted: (line: UnitLogLine) => boolean;
  #current: LineFile | undefined;
  #parse: LineParser;

  constructor(reading: LogReading) {
    this.#reading = reading;
    this.#isWanted = wantedBy(reading.query);
    this.#parse = lineParser(reading.query.unit);
  }

  async close(): Promise<void> {
    await this.#current?.close();
    this.#current = undefined;
  }

  async *everything(): AsyncGenerator<Batch> {
    for (const path of this.#chain()) if (await this.#enter(path)) yield* this.#toEnd();
  }

  /** The newest lines; older files are only opened when the newer ones do not hold enough. Reading then goes on in the newest. */
  async last(most: Bounds): Promise<readonly Batch[]> {
    const pieces: Batch[] = [];
    let left = most;
    for (const path of [...this.#chain()].reverse()) {
      const reader = pieces.length === 0 ? this : new LogReader(this.#reading);
      if (!(await reader.#enter(path))) continue;
      const piece = await reader.#lastOfCurrent(left);
      if (reader !== this) await reader.close();
      pieces.unshift(piece);
      const characters = left.characters - sizeOf(piece);
      left = { count: left.count - piece.length, characters };
      if (left.count <= 0 || characters <= 0) break;
    }
    return pieces;
  }

  /** Looks at more and more of the file until there is enough, from the end; keeps no more than is asked for. */
  async #lastOfCurrent(most: Bounds): Promise<Batch> {
    for (let window = firstWindow; ; window *= 4) {
      const hasMore = await this.#current?.toLast(window);
      this.#parse = lineParser(this.#reading.query.unit);
      const kept = new LastLines(most);
      for await (const batch of this.#toEnd()) kept.add(batch);
      if (hasMore !== true || kept.isFull) return kept.lines;
    }
  }

  /** Lines since the last look; follows the log into the files that a rotation made meanwhile. */
  async *fresh(): AsyncGenerator<Batch> {
    yield* this.#toEnd();
    for (const path of await this.#newer()) {
      // The last line of a file that was rotated away is whole by now.
      yield* this.#toEnd();
      if (await this.#enter(path)) yield* this.#toEnd();
    }
  }

  #chain(): readonly string[] {
    return logFiles(this.#reading.file, this.#reading.files);
  }

  async #newer(): Promise<readonly string[]> {
    const chain = this.#chain();
    const inodes = await Promise.all(chain.map(inodeOf));
    const at = this.#current === undefined ? -1 : inodes.lastIndexOf(this.#current.inode);
    return chain.slice(at + 1);
  }

  async #enter(path: string): Promise<boolean> {
    const file = await LineFile.open(path);
    if (file === undefined) return false;
    await this.close();
    this.#current = file;
    this.#parse = lineParser(this.#reading.query.unit);
    return true;
  }

  async *#toEnd(): AsyncGenerator<Batch> {
    for await (const lines of this.#current?.batches() ?? []) {
      yield lines
        .map(this.#parse)
        .filter((line): line is UnitLogLine => line !== undefined && this.#isWanted(line));
    }
  }
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch {
    return undefined;
  }
}

/** How much is kept. */
interface Bounds {
  readonly count: number;
  readonly characters: number;
}

/** The last of many lines. */
class LastLines {
  readonly #most: Bounds;
  #lines: Batch = [];

  constructor(most: Bounds) {
    this.#most = most;
  }

  get lines(): Batch {
    return this.#lines;
  }

  get isFull(): boolean {
    return this.#lines.length >= this.#most.count || sizeOf(this.#lines) >= this.#most.characters;
  }

  add(batch: Batch): void {
    const { count, characters } = this.#most;
    const lines = [...this.#lines, ...batch].slice(-count);
    let first = lines.length;
    for (let size = 0; first > 0 && size < characters; first -= 1) size += lines[first - 1]?.text.length ?? 0;
    this.#lines = count > 0 ? lines.slice(first) : [];
  }
}

function sizeOf(lines: Batch): number {
  return lines.reduce((sum, { text }) => sum + text.length, 0);
}

function wantedBy({ sinceMs = 0, grep }: LogQuery): (line: UnitLogLine) => boolean {
  const wanted = grep?.toLowerCase();
  return ({ atMs, text }) => atMs >= sinceMs && (wanted === undefined || text.toLowerCase().includes(wanted));
}
