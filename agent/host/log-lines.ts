import fs from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { LogQuery, UnitLogLine } from '../core/unit-logs.ts';
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
  const cursor = new Cursor(reading);
  try {
    yield* cursor.kept();
    if (reading.query.isFollowing !== true) return;
    while (!reading.signal.aborted) {
      yield* cursor.fresh();
      await reading.clock.sleep(followMs, reading.signal).catch(() => undefined);
    }
  } finally {
    cursor.close();
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

class Cursor {
  readonly #reading: LogReading;
  #descriptor: number | undefined;
  #offset = 0;
  #rest = '';

  constructor(reading: LogReading) {
    this.#reading = reading;
  }

  /** The last `count` matching lines of all files. */
  *kept(): Generator<UnitLogLine> {
    const { count } = this.#reading.query;
    if (count === undefined) {
      yield* this.#everything();
      return;
    }
    const size = Math.min(count, maxCount);
    if (size <= 0) {
      for (const line of this.#everything()) void line;
      return;
    }
    const ring: UnitLogLine[] = [];
    let next = 0;
    for (const line of this.#everything()) {
      ring[next] = line;
      next = (next + 1) % size;
    }
    yield* ring.length < size ? ring : [...ring.slice(next), ...ring.slice(0, next)];
  }

  /** Lines since the last look; follows the log into the files that a rotation made meanwhile. */
  *fresh(): Generator<UnitLogLine> {
    yield* this.#toEnd();
    for (const file of this.#newer()) {
      this.#enter(file);
      yield* this.#toEnd();
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  *#everything(): Generator<UnitLogLine> {
    for (const file of logFiles(this.#reading.file, this.#reading.files)) {
      if (this.#enter(file)) yield* this.#toEnd();
    }
  }

  #newer(): readonly string[] {
    const chain = logFiles(this.#reading.file, this.#reading.files);
    if (this.#descriptor === undefined) return chain.slice(-1);
    const { ino } = fs.fstatSync(this.#descriptor);
    const at = chain.findIndex((file) => fs.statSync(file, { throwIfNoEntry: false })?.ino === ino);
    return chain.slice(at + 1);
  }

  #enter(file: string): boolean {
    let descriptor: number;
    try {
      descriptor = fs.openSync(file, 'r');
    } catch {
      return false;
    }
    this.close();
    this.#descriptor = descriptor;
    this.#offset = 0;
    this.#rest = '';
    return true;
  }

  *#toEnd(): Generator<UnitLogLine> {
    const buffer = Buffer.allocUnsafe(65_536);
    while (this.#descriptor !== undefined) {
      const length = fs.readSync(this.#descriptor, buffer, 0, buffer.length, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      const lines = (this.#rest + buffer.toString('latin1', 0, length)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const parsed = this.#accept(Buffer.from(line, 'latin1').toString('utf8'));
        if (parsed !== undefined) yield parsed;
      }
    }
  }

  #accept(text: string): UnitLogLine | undefined {
    const { unit, sinceMs, grep } = this.#reading.query;
    const line = parseLine(unit, text);
    if (line === undefined || line.atMs < (sinceMs ?? 0)) return undefined;
    if (grep !== undefined && !line.text.toLowerCase().includes(grep.toLowerCase())) return undefined;
    return line;
  }
}
