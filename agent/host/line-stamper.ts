import { isoTime } from '../core/utc-text.ts';

/** Letter of a stream in a stored line. */
export type StreamLetter = 'o' | 'e' | 'a';

/** Characters before the text of a stored line: ISO time, blank, letter, blank. */
export const stampLength = 27;
const lineFeed = 0x0a;
/** A line without an end is cut here, in bytes. */
const maxLineBytes = 16_384;

/**
 * Puts time and stream before each line of raw output. Nothing is held back: the piece of a line that came is stored at
 * once and goes on with the next chunk, unless the other stream spoke in between; then it goes on as a line of its own.
 */
export class LineStamper {
  /** Stream of the unfinished last line and how long it is already. */
  #open: { readonly stream: StreamLetter; length: number } | undefined;

  encode(chunk: Buffer, stream: StreamLetter, wallMs: number): Buffer {
    const stamp = Buffer.from(`${isoTime(wallMs)} ${stream} `, 'latin1');
    const out = new Growing(chunk.length + stampLength * 16);
    if (this.#open !== undefined && this.#open.stream !== stream) {
      out.byte(lineFeed);
      this.#open = undefined;
    }
    let from = 0;
    while (from < chunk.length) from = this.#piece(chunk, from, { stamp, stream, out });
    return out.done();
  }

  #piece(chunk: Buffer, from: number, to: { stamp: Buffer; stream: StreamLetter; out: Growing }): number {
    if (this.#open === undefined) {
      to.out.bytes(to.stamp, 0, to.stamp.length);
      this.#open = { stream: to.stream, length: 0 };
    }
    const end = chunk.indexOf(lineFeed, from);
    const room = maxLineBytes - this.#open.length;
    const until = Math.min(end === -1 ? chunk.length : end, from + room);
    to.out.bytes(chunk, from, until);
    this.#open.length += until - from;
    if (until !== end && this.#open.length < maxLineBytes) return until;
    to.out.byte(lineFeed);
    this.#open = undefined;
    return until === end ? until + 1 : until;
  }
}

class Growing {
  #buffer: Buffer;
  #length = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  bytes(source: Buffer, from: number, until: number): void {
    this.#room(until - from);
    source.copy(this.#buffer, this.#length, from, until);
    this.#length += until - from;
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #room(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe((this.#length + extra) * 2);
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
