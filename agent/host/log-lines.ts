import { stat } from 'node:fs/promises';
import type { Clock } from '../core/clock.ts';
import type { LogQuery, UnitLogLine } from '../core/unit-logs.ts';
import { LineFile } from './line-file.ts';
import { stampLength } from './line-stamper.ts';
import { logFiles } from './rotating-file.ts';

/** What is read and how. */
export interface LogReading {
  /** The current file. */
  readonly file: string;
  /** Files kept, the current one included. */
  readonly files: number;
  readonly query: LogQuery;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const maxCount = 100_000;
/** Milliseconds between two looks for new lines. */
const followMs = 250;
const streams = { o: 'out', e: 'err', a: 'agent' } as const;

/** Yields the kept lines, oldest first, then new ones while the query follows. */
export async function* readLines(reading: LogReading): AsyncGenerator<UnitLogLine> {
  const { query, signal, clock } = reading;
  const reader = new LogReader(reading);
  try {
    const kept =
      query.count === undefined ? reader.everything() : reader.last(Math.min(query.count, maxCount));
    for await (const batch of kept) yield* batch;
    while (query.isFollowing === true && !signal.aborted) {
      for await (const batch of reader.fresh()) yield* batch;
      await clock.sleep(followMs, signal).catch(() => undefined);
    }
  } finally {
    await reader.close();
  }
}

/** Parses one stored line: the agent's own JSON, or time, stream letter and text. Lines of neither form are skipped. */
export function parseLine(unit: string, line: string): UnitLogLine | undefined {
  if (line.startsWith('{')) return parseOwn(unit, line);
  const letter = line[25];
  const atMs = Date.parse(line.slice(0, 24));
  if (Number.isNaN(atMs) || (letter !== 'o' && letter !== 'e' && letter !== 'a')) return undefined;
  return { atMs, unit, stream: streams[letter], text: line.slice(stampLength) };
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
  readonly #accept: (line: string) => UnitLogLine | undefined;
  #current: LineFile | undefined;

  constructor(reading: LogReading) {
    this.#reading = reading;
    this.#accept = acceptor(reading.query);
  }

  async close(): Promise<void> {
    await this.#current?.close();
    this.#current = undefined;
  }

  async *everything(): AsyncGenerator<Batch> {
    for (const path of this.#chain()) if (await this.#enter(path)) yield* this.#toEnd();
  }

  /** Older files are only opened when the newer ones do not hold enough. */
  async *last(count: number): AsyncGenerator<Batch> {
    const pieces: Batch[] = [];
    let left = count;
    for (const path of [...this.#chain()].reverse()) {
      const file = await LineFile.open(path);
      if (file === undefined) continue;
      const piece = await file.last(left, this.#accept);
      pieces.unshift(piece);
      left -= piece.length;
      if (this.#current === undefined) this.#current = file;
      else await file.close();
      if (left <= 0) break;
    }
    yield* pieces;
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
    return true;
  }

  async *#toEnd(): AsyncGenerator<Batch> {
    for await (const lines of this.#current?.batches() ?? []) {
      yield lines.map(this.#accept).filter((line) => line !== undefined);
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

function acceptor({ unit, sinceMs, grep }: LogQuery): (line: string) => UnitLogLine | undefined {
  const wanted = grep?.toLowerCase();
  return (text) => {
    const line = parseLine(unit, text);
    if (line === undefined || line.atMs < (sinceMs ?? 0)) return undefined;
    return wanted === undefined || line.text.toLowerCase().includes(wanted) ? line : undefined;
  };
}
