import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../core/agent-error.ts';

const lineFeed = 0x0a;

/** How much of one log is kept. */
export interface LogBudget {
  /** Size at which the current file is put behind the older ones. */
  readonly fileBytes: number;
  /** Files kept, the current one included. */
  readonly files: number;
  /** Age of the first line, in milliseconds, at which the current file is put behind the older ones too; never by default. */
  readonly fileMs?: number;
}

/** Paths of one log from the oldest to the current file; some may not exist. */
export function logFiles(file: string, files: number): readonly string[] {
  const older = Array.from({ length: Math.max(0, files - 1) }, (_, index) => `${file}.${files - 1 - index}`);
  return [...older, file];
}

/**
 * An append-only log within a byte budget. Whole lines go in one write each, so a crash tears at most the last line; the
 * next opening repairs that with a line break. A write never throws: what the disk does not take is counted as dropped.
 */
export class RotatingFile {
  readonly #file: string;
  readonly #budget: LogBudget;
  #descriptor: number | undefined;
  #size = 0;
  /** Wall clock of the first line of the current file. */
  #bornMs = 0;
  #isTorn = false;
  #endsLine = true;
  #droppedBytes = 0;
  readonly #nowMs: () => number;
  #trouble: string | undefined;

  constructor(file: string, budget: LogBudget, nowMs: () => number = Date.now) {
    this.#file = file;
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  /** Bytes that the disk did not take since the opening. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** errno word of the last failed write; undefined while all is well. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Appends now. For rare lines, such as the agent's own. */
  writeNow(bytes: Uint8Array): void {
    try {
      const rest = this.#finishLine(bytes);
      const descriptor = this.#ready(rest.length);
      this.#account(rest, fs.writeSync(descriptor, rest));
    } catch (error) {
      this.#refused(bytes.length, error);
    }
  }

  /** Appends without holding up the agent; calls back when done. At most one such write may be under way. */
  write(bytes: Uint8Array, done: () => void): void {
    try {
      const rest = this.#finishLine(bytes);
      fs.write(this.#ready(rest.length), rest, 0, rest.length, null, (error, written) => {
        if (error) this.#refused(rest.length, error);
        else this.#account(rest, written);
        done();
      });
    } catch (error) {
      this.#refused(bytes.length, error);
      queueMicrotask(done);
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #isRotationDue(extraBytes: number): boolean {
    if (this.#descriptor === undefined || this.#size === 0) return false;
    const { fileBytes, fileMs = Infinity } = this.#budget;
    return this.#size + extraBytes > fileBytes || this.#nowMs() - this.#bornMs > fileMs;
  }

  /** Puts the end of a line that is under way into the old file before a rotation, and returns what is left. */
  #finishLine(bytes: Uint8Array): Uint8Array {
    const end = bytes.indexOf(lineFeed) + 1;
    if (!this.#isRotationDue(bytes.length) || this.#endsLine || end === 0 || end === bytes.length)
      return bytes;
    const head = bytes.subarray(0, end);
    this.#account(head, fs.writeSync(this.#ready(0), head));
    return bytes.subarray(end);
  }

  #ready(extraBytes: number): number {
    this.#descriptor ??= this.#open();
    if (this.#isRotationDue(extraBytes) && this.#endsLine) {
      this.#rotate();
      this.#descriptor = this.#open();
    }
    if (this.#isTorn) {
      this.#size += fs.writeSync(this.#descriptor, '\n');
      this.#isTorn = false;
      this.#endsLine = true;
    }
    return this.#descriptor;
  }

  #open(): number {
    fs.mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o750 });
    const descriptor = fs.openSync(this.#file, 'a+', 0o640);
    this.#size = fs.fstatSync(descriptor).size;
    this.#bornMs = this.#size > 0 ? firstLineMs(descriptor) : this.#nowMs();
    const last = Buffer.alloc(1);
    if (this.#size > 0) fs.readSync(descriptor, last, 0, 1, this.#size - 1);
    this.#isTorn = this.#size > 0 && last[0] !== lineFeed;
    this.#endsLine = !this.#isTorn;
    return descriptor;
  }

  /** Renames from the oldest on; a crash in between leaves a gap in the numbers and loses nothing. */
  #rotate(): void {
    this.close();
    const chain = logFiles(this.#file, this.#budget.files);
    if (chain.length === 1) fs.truncateSync(this.#file);
    for (const [index, name] of chain.entries()) {
      const next = chain[index - 1];
      if (next !== undefined) renameIfThere(name, next);
    }
  }

  #account(bytes: Uint8Array, written: number): void {
    this.#size += written;
    if (written === bytes.length) {
      this.#endsLine = bytes.at(-1) === lineFeed;
      this.#trouble = undefined;
      return;
    }
    this.#isTorn = true;
    this.#droppedBytes += bytes.length - written;
    this.#trouble = 'ENOSPC';
  }

  #refused(bytes: number, error: unknown): void {
    this.#isTorn ||= !this.#endsLine;
    this.#droppedBytes += bytes;
    this.#trouble = errnoOf(error) ?? 'unknown';
  }
}

/** Time of the first line: it begins with it, or holds it as the first field of its JSON. Now where it tells none. */
function firstLineMs(descriptor: number): number {
  const head = Buffer.alloc(64);
  const length = fs.readSync(descriptor, head, 0, head.length, 0);
  const stamp = /\d{4}-\d\d-\d\dT[\d:.]{12}Z/.exec(head.toString('latin1', 0, length));
  const atMs = Date.parse(stamp?.[0] ?? '');
  return Number.isNaN(atMs) ? Date.now() : atMs;
}

function renameIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
