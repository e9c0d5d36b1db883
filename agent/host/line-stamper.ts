import { isoTime } from '../core/utc-text.ts';

/** Letter of a stream in a stored line. */
export type StreamLetter = 'o' | 'e' | 'a';

/** ISO time, blank, letter, blank: what stands before the first of the lines that were read together. */
export const stampPattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([oea]) /;
export const stampLength = 27;

const lineFeed = 0x0a;
/** End of the time in a stamp. Output that has it somewhere is looked at line by line. */
const timeEnd = Buffer.from('Z ');

/**
 * Puts time and stream before lines that were read together: once, before the first of them. A line of output that looks
 * like one with a stamp gets its own, so that no output can pass for another time or stream.
 */
export class LineStamper {
  #buffer = Buffer.alloc(0);
  #length = 0;

  /** Stamped bytes, valid until the next call. `lines` are whole. */
  encode(lines: Buffer, stream: StreamLetter, wallMs: number): Buffer {
    const stamp = Buffer.from(`${isoTime(wallMs)} ${stream} `, 'latin1');
    this.#length = 0;
    this.#room(stampLength + lines.length);
    this.#add(stamp);
    for (let from = 0; from < lines.length; ) {
      const next = nextLookAlike(lines, from);
      this.#add(lines.subarray(from, next));
      if (next < lines.length) this.#add(stamp);
      from = next;
    }
    return this.#buffer.subarray(0, this.#length);
  }

  #add(bytes: Buffer): void {
    this.#room(bytes.length);
    bytes.copy(this.#buffer, this.#length);
    this.#length += bytes.length;
  }

  #room(extra: number): void {
    if (this.#length + extra <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(65_536, (this.#length + extra) * 1.25));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}

/** Where the next line but the first begins that looks like one with a stamp; the end where there is none. */
function nextLookAlike(lines: Buffer, from: number): number {
  const timeLength = 23;
  for (let at = lines.indexOf(timeEnd, from); at !== -1; at = lines.indexOf(timeEnd, at + 1)) {
    const start = at - timeLength;
    if (start <= from || lines[start - 1] !== lineFeed) continue;
    if (stampPattern.test(lines.toString('latin1', start, start + stampLength))) return start;
  }
  return lines.length;
}
