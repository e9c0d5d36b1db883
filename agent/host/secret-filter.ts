import { withoutSecrets } from '../core/secrets.ts';

const lineFeed = 0x0a;
/** Longest piece without a line end that is held back, in bytes; no token is longer. */
const maxHeldBytes = 4096;
/** What may be the beginning of a token at the end of a piece: hex digits of its hash, a JWT, or the words before one. */
const beginning = /(?:[0-9a-fA-F]{8,64}\.?|(?:[0-9a-fA-F]{64}\.)?ey?J?[\w.-]*|(?:token|[Bb]earer) \S*)$/;
/** Every secret that is known has one of these in it; most output has none. */
const marks = ['eyJ', 'credentials are in the wrong format', 'earer '];

/**
 * Takes secrets out of a stream of output before anybody sees it: edgecore prints its token when it cannot read it. A
 * token that two pieces of the stream share is held back until the rest has come.
 */
export class SecretFilter {
  #held: Buffer = Buffer.alloc(0);

  /** The piece without secrets; may be shorter than what came, or empty. */
  push(chunk: Buffer): Buffer {
    const whole = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const heldLength = whole.at(-1) === lineFeed ? 0 : heldFrom(whole);
    this.#held = Buffer.from(whole.subarray(whole.length - heldLength));
    return clean(whole.subarray(0, whole.length - heldLength));
  }

  /** What was held back: nothing more will come. */
  flush(): Buffer {
    const rest = clean(this.#held);
    this.#held = Buffer.alloc(0);
    return rest;
  }
}

function heldFrom(whole: Buffer): number {
  // No secret goes over the end of a line, and looking for one in whole lines would take most of the time.
  const from = Math.max(whole.lastIndexOf(lineFeed) + 1, whole.length - maxHeldBytes);
  const tail = whole.toString('latin1', from);
  const run = beginning.exec(tail)?.[0].length ?? 0;
  return run >= maxHeldBytes ? 0 : run;
}

function clean(bytes: Buffer): Buffer {
  if (!marks.some((mark) => bytes.includes(mark))) return bytes;
  return Buffer.from(withoutSecrets(bytes.toString('latin1')), 'latin1');
}
