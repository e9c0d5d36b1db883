import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../core/agent-error.ts';

/** How much of one log is kept. */
export interface LogBudget {
  /** Size at which the current file is put behind the older ones. */
  readonly fileBytes: number;
  /** Files kept, the current one included. */
  readonly files: number;
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
  #isTorn = false;
  #droppedBytes = 0;
  #trouble: string | undefined;

  constructor(file: string, budget: LogBudget) {
    this.#file = file;
    this.#budget = budget;
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
      const descriptor = this.#ready(bytes.length);
      const written = fs.writeSync(descriptor, bytes);
      this.#account(bytes.length, written);
    } catch (error) {
      this.#refused(bytes.length, error);
    }
  }

  /** Appends without holding up the agent; calls back when done. At most one such write may be under way. */
  write(bytes: Uint8Array, done: () => void): void {
    try {
      fs.write(this.#ready(bytes.length), bytes, 0, bytes.length, null, (error, written) => {
        if (error) this.#refused(bytes.length, error);
        else this.#account(bytes.length, written);
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

  #ready(extraBytes: number): number {
    if (
      this.#descriptor !== undefined &&
      this.#size > 0 &&
      this.#size + extraBytes > this.#budget.fileBytes
    ) {
      this.#rotate();
    }
    this.#descriptor ??= this.#open();
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
    const last = Buffer.alloc(1);
    if (this.#size > 0) fs.readSync(descriptor, last, 0, 1, this.#size - 1);
    this.#isTorn = this.#size > 0 && last[0] !== 0x0a;
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

  #account(wanted: number, written: number): void {
    this.#size += written;
    if (written === wanted) {
      this.#trouble = undefined;
      return;
    }
    this.#isTorn = true;
    this.#droppedBytes += wanted - written;
    this.#trouble = 'ENOSPC';
  }

  #refused(bytes: number, error: unknown): void {
    this.#droppedBytes += bytes;
    this.#trouble = errnoOf(error) ?? 'unknown';
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
