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

  /** What to write one after the other, valid until the next call: nothing is copied. `lines` are whole. */
  encode(lines: Buffer, stream: StreamLetter, wallMs: number): readonly Buffer[] {
    const stamp = this.#stampOf(stream, wallMs);
    const first = nextLookAlike(lines, 0);
    if (first === -1) return [stamp, lines];
    const pieces = [stamp];
    let from = 0;
    for (let next = first; next !== -1; next = nextLookAlike(lines, from)) {
      pieces.push(lines.subarray(from, next), stamp);
      from = next;
    }
    return [...pieces, lines.subarray(from)];
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

/** Stored lines, each with the stamp that it has or that of the line above, as a person reads them; what has none above stays. */
export function stampEach(stored: string): string {
  let above = '';
  return stored.replaceAll(/^.+$/gm, (line) => {
    if (!stampPattern.test(line)) return `${above}${line}`;
    above = line.slice(0, stampLength);
    return line;
  });
}
