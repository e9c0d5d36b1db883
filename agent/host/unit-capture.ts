import type { Clock } from '../core/clock.ts';
import type { OutputDescriptors } from '../core/process.ts';
import type { CaptureCounts, OutputCapture } from '../core/unit-logs.ts';
import type { LineStamper, StreamLetter } from './line-stamper.ts';
import { nextTurn } from './next-turn.ts';
import { OutputPipe, type ReadSpace } from './output-pipe.ts';
import type { RotatingFile } from './rotating-file.ts';
import { WholeLines } from './whole-lines.ts';

/** Bytes of output kept in memory for the last lines. */
const tailBytes = 16_384;
/** A write that takes longer than this, in milliseconds, is no reason to hold up the unit: output is dropped and counted. */
const stallMs = 1_000;
/** Milliseconds until there is more room in the pipes: the first moments of an agent belong to others. */
const widenMs = 1_000;
const letters = ['o', 'e'] as const;

/** One of the two pipes, and whether it was there already. */
export interface PipePath {
  readonly path: string;
  readonly isOld: boolean;
}

/** What a capture works with; `space` and `stamper` serve all of them, one at a time. */
export interface CaptureParts {
  readonly file: RotatingFile;
  readonly clock: Clock;
  readonly space: ReadSpace;
  readonly stamper: LineStamper;
  /** Makes room in the pipes where that is possible. */
  readonly widen: (pipes: OutputDescriptors) => void;
}

/**
 * Moves output from the two pipes of a unit to its log, as much at once as a pipe holds. Where the disk is slow one chunk is
 * under way and the rest waits in the pipes, so memory stays the same at any speed and the death of the agent loses one
 * chunk at most.
 */
export class UnitCapture implements OutputCapture {
  readonly descriptors: OutputDescriptors;
  readonly #clock: Clock;
  readonly #file: RotatingFile;
  readonly #stamper: LineStamper;
  readonly #pipes: readonly OutputPipe[];
  /** Where the pipe is not new, the first line may be the rest of one that an earlier agent began to read. */
  readonly #lines: { readonly o: WholeLines; readonly e: WholeLines };
  readonly #tail = Buffer.alloc(tailBytes);
  #tailLength = 0;
  #lastOutputMs = -1;
  #skippedBytes = 0;
  #reportedDrops = 0;
  #isWriting = false;
  #writeStartedMs = 0;
  #isStalled = false;
  #isClosing = false;
  /** No life began or ended yet. */
  #isNew = true;
  readonly #cancelWiden: () => void;
  #cancelStall: (() => void) | undefined;
  #waiting: Buffer[] = [];

  constructor(paths: { readonly out: PipePath; readonly err: PipePath }, parts: CaptureParts) {
    this.#lines = { o: new WholeLines(paths.out.isOld), e: new WholeLines(paths.err.isOld) };
    this.#clock = parts.clock;
    this.#file = parts.file;
    this.#stamper = parts.stamper;
    const out = new OutputPipe(paths.out.path, parts.space, (chunk) => this.#take(chunk, 'o'));
    const err = secondPipe(out, () => {
      return new OutputPipe(paths.err.path, parts.space, (chunk) => this.#take(chunk, 'e'));
    });
    this.#pipes = [out, err];
    this.descriptors = { out: out.childDescriptor, err: err.childDescriptor };
    this.#cancelWiden = parts.clock.after(widenMs, () => parts.widen(this.descriptors));
  }

  beginLife(): void {
    // What an agent left that died with its unit is nobody's explanation any more.
    if (this.#isNew) for (const pipe of this.#pipes) pipe.drain();
    this.#finish();
    this.#tailLength = 0;
  }

  async endLife(count: number): Promise<readonly string[]> {
    // The kernel has all of its words by now, so the event loop reads them at its next look. Reading here would cost an error
    // for each empty pipe, and those are dear where the next start waits for them.
    await nextTurn();
    await nextTurn();
    this.#finish();
    return this.#lastLines(count);
  }

  tail(count: number): readonly string[] {
    for (const pipe of this.#pipes) pipe.drain();
    return this.#lastLines(count);
  }

  #lastLines(count: number): readonly string[] {
    const text = this.#tail.toString('utf8', 0, this.#tailLength);
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-count);
  }

  lastOutputMs(): number {
    return this.#lastOutputMs;
  }

  counts(): CaptureCounts {
    const droppedBytes = this.#skippedBytes + this.#file.droppedBytes;
    const trouble = this.#isStalled ? 'ETIMEDOUT' : this.#file.trouble;
    return { droppedBytes, ...(trouble === undefined ? {} : { trouble }) };
  }

  async close(): Promise<void> {
    this.#cancelWiden();
    this.#cancelStall?.();
    for (const letter of letters) this.#keep(this.#lines[letter].leave(), letter);
    await Promise.all(this.#pipes.map((pipe) => pipe.close()));
    if (this.#isWriting) this.#isClosing = true;
    else this.#file.close();
  }

  /** The event loop has read all but what a slow disk keeps in the pipes. */
  #finish(): void {
    this.#isNew = false;
    for (const pipe of this.#pipes) if (pipe.mayHoldMore) pipe.drain();
    for (const letter of letters) this.#keep(this.#lines[letter].finish(), letter);
  }

  /** Says whether the pipe may go on reading. */
  #take(chunk: Buffer, letter: 'o' | 'e'): boolean {
    this.#lastOutputMs = this.#clock.nowMs();
    this.#keep(this.#lines[letter].push(chunk), letter);
    return this.#isStalled || !this.#isWriting;
  }

  #keep(lines: Buffer, letter: StreamLetter): void {
    if (lines.length === 0) return;
    this.#remember(lines);
    if (this.#isStalled) this.#skippedBytes += lines.length;
    else this.#write(this.#stamper.encode(lines, letter, this.#clock.wallMs()));
  }

  /** `pieces` are only valid during the call. */
  #write(pieces: readonly Buffer[]): void {
    if (this.#isWriting) {
      this.#waiting.push(Buffer.concat(pieces));
      return;
    }
    if (this.#file.write(pieces, () => this.#written())) {
      this.#reportDrops();
      return;
    }
    this.#isWriting = true;
    this.#writeStartedMs = this.#clock.nowMs();
    this.#cancelStall ??= this.#clock.after(stallMs, () => this.#lookForStall());
  }

  #written(): void {
    this.#isWriting = false;
    this.#isStalled = false;
    if (this.#isClosing) this.#file.close();
    if (this.#isClosing) return;
    while (!this.#isWriting) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#write([next]);
    }
    if (!this.#isWriting) this.#reportDrops();
    if (this.#isWriting) return;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    for (const pipe of this.#pipes) pipe.resume();
  }

  /** Says in the log itself how much is missing, once the file takes lines again. */
  #reportDrops(): void {
    const dropped = this.counts().droppedBytes - this.#reportedDrops;
    if (dropped === 0 || this.#file.trouble !== undefined) return;
    this.#reportedDrops += dropped;
    const text = `${dropped} bytes of output before this line were not kept: the disk was full or too slow\n`;
    this.#write(this.#stamper.encode(Buffer.from(text), 'a', this.#clock.wallMs()));
  }

  #lookForStall(): void {
    this.#cancelStall = undefined;
    if (!this.#isWriting) return;
    const leftMs = stallMs - (this.#clock.nowMs() - this.#writeStartedMs);
    if (leftMs > 0) {
      this.#cancelStall = this.#clock.after(leftMs, () => this.#lookForStall());
      return;
    }
    this.#isStalled = true;
    for (const pipe of this.#pipes) pipe.resume();
  }

  #remember(lines: Buffer): void {
    const piece = lines.subarray(Math.max(0, lines.length - tailBytes));
    const kept = Math.min(this.#tailLength, tailBytes - piece.length);
    this.#tail.copyWithin(0, this.#tailLength - kept, this.#tailLength);
    piece.copy(this.#tail, kept);
    this.#tailLength = kept + piece.length;
  }
}

/** Where the agent is out of files each try would otherwise take those that became free. */
function secondPipe(first: OutputPipe, open: () => OutputPipe): OutputPipe {
  try {
    return open();
  } catch (error) {
    void first.close();
    throw error;
  }
}
