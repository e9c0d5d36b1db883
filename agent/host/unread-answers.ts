import type { ServerResponse } from 'node:http';

/** An answer of so many bytes goes into the kernel's own buffer at once, whether anybody reads it or not. */
const smallBytes = 65_536;
/** Bytes of larger answers that may wait for their askers together. */
const maxBytes = 16_777_216;
/** Milliseconds that an asker may take to read its answer, e.g. over a serial line. */
const takeMs = 120_000;

/** Bounds what answers cost that nobody reads: each connection could hold megabytes for ever. */
export class UnreadAnswers {
  #bytes = 0;

  /** Reports whether an answer may be sent. One that is not taken in time is cut off. */
  admit(response: ServerResponse, bytes: number): boolean {
    if (bytes <= smallBytes) return true;
    if (this.#bytes + bytes > maxBytes) return false;
    this.#bytes += bytes;
    const timer = setTimeout(() => response.destroy(), takeMs).unref();
    response.once('close', () => {
      clearTimeout(timer);
      this.#bytes -= bytes;
    });
    return true;
  }
}
