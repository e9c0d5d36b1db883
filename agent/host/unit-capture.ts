import type { Clock } from '../core/clock.ts';
import type { OutputDescriptors } from '../core/process.ts';
import type { CaptureCounts, OutputCapture } from '../core/unit-logs.ts';
import { LineStamper, type StreamLetter } from './line-stamper.ts';
import { OutputPipe } from './output-pipe.ts';
import type { RotatingFile } from './rotating-file.ts';
import { SecretFilter } from './secret-filter.ts';

/** Bytes of output kept in memory for the last lines. */
const tailBytes = 16_384;
/** A write that takes longer than this, in milliseconds, is no reason to hold up the unit: output is dropped and counted. */
const stallMs = 1_000;

/**
 * Moves output from the two pipes of a unit to its log. One chunk is under way at a time and the rest waits in the pipes,
 * so memory stays the same at any speed and the death of the agent loses one chunk at most.
 */
export class UnitCapture implements OutputCapture {
  readonly descriptors: OutputDescriptors;
  readonly #clock: Clock;
  readonly #file: RotatingFile;
  readonly #pipes: readonly OutputPipe[];
  readonly #stamper = new LineStamper();
  readonly #filters = { o: new SecretFilter(), e: new SecretFilter() };
  readonly #tail = Buffer.alloc(tailBytes);
  #tailLength = 0;
  #lastOutputMs = -1;
  #skippedBytes = 0;
  #reportedDrops = 0;
  #isWriting = false;
  #writeStartedMs = 0;
  #isStalled = false;
  #isClosing = false;
  #cancelStall: (() => void) | undefined;
  #held: Buffer[] = [];

  constructor(paths: { readonly out: string; readonly err: string }, file: RotatingFile, clock: Clock) {
    this.#clock = clock;
    this.#file = file;
    const out = new OutputPipe(paths.out, (chunk) => this.#takeRaw(chunk, 'o'));
    const err = new OutputPipe(paths.err, (chunk) => this.#takeRaw(chunk, 'e'));
    this.#pipes = [out, err];
    this.descriptors = { out: out.childDescriptor, err: err.childDescriptor };
  }

  beginLife(): void {
    this.#drain();
    this.#tailLength = 0;
  }

  tail(count: number): readonly string[] {
    this.#drain();
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
    this.#cancelStall?.();
    await Promise.all(this.#pipes.map((pipe) => pipe.close()));
    if (this.#isWriting) this.#isClosing = true;
    else this.#file.close();
  }

  #drain(): void {
    const letters = ['o', 'e'] as const;
    for (const [index, pipe] of this.#pipes.entries()) {
      const letter = letters[index] ?? 'e';
      pipe.drain((chunk) => void this.#takeRaw(chunk, letter));
      this.#take(this.#filters[letter].flush(), letter);
    }
  }

  /** Secrets end here: nothing behind this ever sees one. */
  #takeRaw(chunk: Buffer, stream: 'o' | 'e'): boolean {
    return this.#take(this.#filters[stream].push(chunk), stream);
  }

  /** Says whether the pipe may go on reading. */
  #take(chunk: Buffer, stream: StreamLetter): boolean {
    if (chunk.length === 0) return !this.#isWriting;
    if (this.#isStalled) {
      this.#skippedBytes += chunk.length;
      this.#remember(chunk);
      return true;
    }
    this.#write(this.#note(chunk, stream));
    return !this.#isWriting;
  }

  #note(chunk: Buffer, stream: StreamLetter): Buffer {
    this.#lastOutputMs = this.#clock.nowMs();
    this.#remember(chunk);
    return this.#stamper.encode(chunk, stream, this.#clock.wallMs());
  }

  #write(bytes: Buffer): void {
    if (this.#isWriting) {
      this.#held.push(bytes);
      return;
    }
    this.#isWriting = true;
    this.#writeStartedMs = this.#clock.nowMs();
    this.#cancelStall ??= this.#clock.after(stallMs, () => this.#lookForStall());
    this.#file.write(bytes, () => this.#written());
  }

  #written(): void {
    this.#isWriting = false;
    this.#isStalled = false;
    if (this.#isClosing) this.#file.close();
    if (this.#isClosing) return;
    const [next, ...others] = this.#held;
    if (next !== undefined) {
      this.#held = others;
      this.#write(next);
      return;
    }
    if (this.#reportDrops()) return;
    this.#cancelStall?.();
    this.#cancelStall = undefined;
    for (const pipe of this.#pipes) pipe.resume();
  }

  /** Says in the log itself how much is missing, once the file takes lines again. */
  #reportDrops(): boolean {
    const dropped = this.counts().droppedBytes - this.#reportedDrops;
    if (dropped === 0 || this.#file.trouble !== undefined) return false;
    this.#reportedDrops += dropped;
    const text = `${dropped} bytes of output before this line were not kept: the disk was full or too slow\n`;
    this.#write(this.#stamper.encode(Buffer.from(text), 'a', this.#clock.wallMs()));
    return true;
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

  #remember(chunk: Buffer): void {
    const piece = chunk.subarray(Math.max(0, chunk.length - tailBytes));
    const kept = Math.min(this.#tailLength, tailBytes - piece.length);
    this.#tail.copyWithin(0, this.#tailLength - kept, this.#tailLength);
    piece.copy(this.#tail, kept);
    this.#tailLength = kept + piece.length;
  }
}
