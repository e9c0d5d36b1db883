import { secretsIn, withoutSecrets, withoutTornBeginning, withoutTornEnd } from '../core/secrets.ts';

const lineFeed = 0x0a;
/** Longest line in bytes; of a longer one pieces of `pieceBytes` are made. */
const maxLineBytes = 20_480;
const pieceBytes = 16_384;
/** Free bytes that a chunk must have in front, for the beginning of its first line. */
export const headroomBytes = maxLineBytes;

/**
 * One of these is in every secret that is known. Each begins or ends with a character that is rare in output, which is what
 * the search looks for: it takes microseconds for a full pipe.
 */
const token = Buffer.from('eyJ');
const upperHeader = Buffer.from('Bearer');
const lowerHeader = Buffer.from('bearer');
const sentenceWord = Buffer.from('wrong ');
const sentence = Buffer.from('credentials are in the wrong format');

/**
 * Makes whole lines of a stream of output and takes secrets out of them before anybody sees them. What is unfinished waits,
 * so no secret can slip through in two pieces; no secret goes over the end of a line.
 */
export class WholeLines {
  /** The beginning of a line. */
  #held: Buffer = Buffer.alloc(0);
  /** Whether somebody else may have read the beginning of the line that comes. */
  #isTorn: boolean;

  constructor(isTorn = false) {
    this.#isTorn = isTorn;
  }

  /** Whole lines of what came so far; often none. The chunk has `headroomBytes` in front that nobody else uses. */
  push(chunk: Buffer): Buffer {
    const whole = this.#withHeld(chunk);
    if (hasLongLine(whole)) return this.#begun(this.#cut(whole));
    const end = whole.lastIndexOf(lineFeed) + 1;
    this.#held = Buffer.from(whole.subarray(end));
    return this.#begun(clean(whole.subarray(0, end)));
  }

  /** The line that was unfinished, with its end: nothing more will come. */
  finish(): Buffer {
    const rest = this.#begun(clean(this.#held));
    this.#held = Buffer.alloc(0);
    this.#isTorn = false;
    return rest.length === 0 ? rest : Buffer.concat([rest, Buffer.from('\n')]);
  }

  /** The same where the rest of the line will come, to somebody else. */
  leave(): Buffer {
    const rest = withoutTornEnd(this.#begun(clean(this.#held)).toString('latin1'));
    this.#held = Buffer.alloc(0);
    return Buffer.from(rest === '' ? '' : `${rest}\n`, 'latin1');
  }

  /** Looks at the first line after somebody else. */
  #begun(lines: Buffer): Buffer {
    if (!this.#isTorn || lines.length === 0) return lines;
    this.#isTorn = false;
    const end = lines.indexOf(lineFeed);
    const first = lines.subarray(0, end === -1 ? lines.length : end);
    const cleaned = Buffer.from(withoutTornBeginning(first.toString('latin1')), 'latin1');
    return Buffer.concat([cleaned, lines.subarray(first.length)]);
  }

  #withHeld(chunk: Buffer): Buffer {
    const { length } = this.#held;
    if (length === 0) return chunk;
    const whole = Buffer.from(chunk.buffer, chunk.byteOffset - length, length + chunk.length);
    this.#held.copy(whole);
    return whole;
  }

  /** Where lines are cut depends on the lines alone, never on how they came. */
  #cut(whole: Buffer): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    for (let end = 0; end !== -1; ) {
      end = whole.indexOf(lineFeed, from);
      const until = end === -1 ? whole.length : end;
      while (until - from > maxLineBytes) {
        const next = from + cutAt(whole.subarray(from, from + maxLineBytes));
        out.push(clean(whole.subarray(from, next)), Buffer.from('\n'));
        from = next;
      }
      if (end === -1) break;
      out.push(clean(whole.subarray(from, end + 1)));
      from = end + 1;
    }
    this.#held = Buffer.from(whole.subarray(from));
    return Buffer.concat(out);
  }
}

/** Goes from window to window, not from line to line. */
function hasLongLine(whole: Buffer): boolean {
  let from = 0;
  while (whole.length - from > maxLineBytes) {
    const end = whole.lastIndexOf(lineFeed, from + maxLineBytes);
    if (end < from) return true;
    from = end + 1;
  }
  return false;
}

/** Length of the first piece of a line: behind it is more of the line than any secret is long, and no secret is torn. */
function cutAt(window: Buffer): number {
  const torn = secretsIn(window.toString('latin1')).find(
    ({ from, until }) => from < pieceBytes && until > pieceBytes,
  );
  return torn === undefined || torn.from === 0 ? pieceBytes : torn.from;
}

function clean(bytes: Buffer): Buffer {
  const maySpeak =
    bytes.lastIndexOf(token) !== -1 ||
    bytes.indexOf(upperHeader) !== -1 ||
    bytes.indexOf(lowerHeader) !== -1 ||
    (bytes.indexOf(sentenceWord) !== -1 && bytes.indexOf(sentence) !== -1);
  return maySpeak ? Buffer.from(withoutSecrets(bytes.toString('latin1')), 'latin1') : bytes;
}
