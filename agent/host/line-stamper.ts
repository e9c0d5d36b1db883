import { isoTime } from '../core/utc-text.ts';

/** Letter of a stream in a stored line. */
export type StreamLetter = 'o' | 'e' | 'a';

/** ISO time, blank, letter, blank: what stands before the first of the lines that were read together. */
export const stampPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([oea]) /;
export const stampLength = 27;

const lineFeed = 0x0a;
const zero = 0x30;
/** End of the time in a stamp. Output that has it somewhere is looked at line by line. */
const timeEnd = Buffer.from('Z ');

/**
 * Puts time and stream before lines that were read together: once, before the first of them. A line of output that looks
 * like one with a stamp gets its own, so that no output can pass for another time or stream.
 */
export class LineStamper {
  readonly #stamp = Buffer.alloc(stampLength, ' ');
  #second = Number.NaN;
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** Stamped bytes, valid until the next call. `lines` are whole. */
  encode(lines: Buffer, stream: StreamLetter, wallMs: number): Buffer {
    const stamp = this.#stampOf(stream, wallMs);
    this.#length = 0;
    this.#room(stampLength + lines.length);
    this.#add(stamp);
    let from = 0;
    for (let next = nextLookAlike(lines, 0); next !== -1; next = nextLookAlike(lines, from)) {
      this.#add(lines.subarray(from, next));
      this.#add(stamp);
      from = next;
    }
    this.#add(from === 0 ? lines : lines.subarray(from));
    return this.#buffer.subarray(0, this.#length);
  }

  /** Only what changed since the last one is written anew: most of a time stays the same for a second. */
  #stampOf(stream: StreamLetter, wallMs: number): Buffer {
    const second = Math.floor(wallMs / 1_000);
    if (second !== this.#second) this.#stamp.write(isoTime(wallMs), 'latin1');
    this.#second = second;
    const ms = wallMs - second * 1_000;
    this.#stamp[20] = zero + Math.floor(ms / 100);
    this.#stamp[21] = zero + (Math.floor(ms / 10) % 10);
    this.#stamp[22] = zero + (ms % 10);
    this.#stamp[25] = stream.charCodeAt(0);
    return this.#stamp;
  }

  #add(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #room(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(65_536, (this.#length + extra) * 1.25));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Where the next line but the first begins that looks like one with a stamp; -1 where there is none. */
function nextLookAlike(lines: Buffer, from: number): number {
  const timeLength = 23;
  for (let at = lines.indexOf(timeEnd, from); at !== -1; at = lines.indexOf(timeEnd, at + 1)) {
    const start = at - timeLength;
    if (start <= from || lines[start - 1] !== lineFeed) continue;
    if (stampPattern.test(lines.toString('latin1', start, start + stampLength))) return start;
  }
  return -1;
}
