import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../core/agent-error.ts';

const lineFeed = 0x0a;
/** A write that takes longer than this, in milliseconds, is not made by the thread that supervises … */
const slowMs = 200;
/** … nor are those of the next so many. */
const slowForMs = 60_000;

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
 * An append-only log within a byte budget. Only whole lines come, in one write each, so a crash tears at most the last one;
 * the next write repairs that with a line break. A write never throws: what the disk does not take is counted as dropped.
 */
export class RotatingFile {
  readonly #file: string;
  readonly #budget: LogBudget;
  #descriptor: number | undefined;
  #size = 0;
  /** Wall clock of the first line of the current file. */
  #bornMs = 0;
  #isTorn = false;
  #slowUntilMs = 0;
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

  /** Appends now, with one call of the system. */
  writeNow(pieces: readonly Uint8Array[]): void {
    const bytes = lengthOf(pieces);
    const startedMs = this.#nowMs();
    try {
      this.#account(bytes, fs.writevSync(this.#ready(bytes), pieces));
    } catch (error) {
      this.#refused(bytes, error);
    }
    this.#judge(startedMs);
  }

  /**
   * Appends; says whether that is done. It is not where the disk was slow of late: then another thread does it, because
   * supervision must go on, and calls back. That costs three times as much. At most one such write may be under way.
   */
  write(pieces: readonly Uint8Array[], done: () => void): boolean {
    const startedMs = this.#nowMs();
    if (!this.#isSlow(startedMs)) {
      this.writeNow(pieces);
      return true;
    }
    const copy = Buffer.concat(pieces);
    try {
      fs.write(this.#ready(copy.length), copy, 0, copy.length, null, (error, written) => {
        if (error) this.#refused(copy.length, error);
        else this.#account(copy.length, written);
        this.#judge(startedMs);
        done();
      });
    } catch (error) {
      this.#refused(copy.length, error);
      queueMicrotask(done);
    }
    return false;
  }

  close(): void {
    const descriptor = this.#descriptor;
    // Before: closed is closed, even where that reports an error, and the number may soon be somebody else's.
    this.#descriptor = undefined;
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }

  /** A clock that was set back says nothing about the disk. */
  #isSlow(nowMs: number): boolean {
    return nowMs < this.#slowUntilMs && this.#slowUntilMs - nowMs <= slowForMs;
  }

  #isRotationDue(extraBytes: number): boolean {
    if (this.#descriptor === undefined || this.#size === 0) return false;
    const { fileBytes, fileMs = Infinity } = this.#budget;
    return this.#size + extraBytes > fileBytes || this.#nowMs() - this.#bornMs > fileMs;
  }

  #judge(startedMs: number): void {
    const endedMs = this.#nowMs();
    if (endedMs - startedMs > slowMs) this.#slowUntilMs = endedMs + slowForMs;
  }

  #ready(extraBytes: number): number {
    this.#descriptor ??= this.#open();
    if (this.#isRotationDue(extraBytes)) {
      this.#rotate();
      this.#descriptor = this.#open();
    }
    if (this.#isTorn) {
      this.#size += fs.writeSync(this.#descriptor, '\n');
      this.#isTorn = false;
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
    return descriptor;
  }

  /** Renames from the oldest on; a crash in between leaves a gap in the numbers and loses nothing. */
  #rotate(): void {
    this.close();
    const chain = logFiles(this.#file, this.#budget.files);
    // Removed, not replaced: ext4 puts a file on the disk that takes the name of another one (auto_da_alloc), so a flood would
    // be written to the flash even where its lines are gone again before the kernel would have written them.
    fs.rmSync(chain[0] ?? this.#file, { force: true });
    for (const [index, name] of chain.entries()) {
      const next = chain[index - 1];
      if (next !== undefined) renameIfThere(name, next);
    }
  }

  #account(wanted: number, written: number): void {
    this.#size += written;
    this.#isTorn = written < wanted;
    this.#droppedBytes += wanted - written;
    this.#trouble = this.#isTorn ? 'ENOSPC' : undefined;
  }

  #refused(bytes: number, error: unknown): void {
    this.#droppedBytes += bytes;
    this.#trouble = errnoOf(error) ?? 'unknown';
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  return length;
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
