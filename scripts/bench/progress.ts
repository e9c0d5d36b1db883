/** Milliseconds between two lines of the same benchmark where every line stays. */
const everyMs = 15_000;

interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Tells how far a long run is: on a terminal in one line that is written anew, elsewhere in few lines. */
export class Progress {
  readonly #screen: Screen;
  readonly #nowMs: () => number;
  #topic = '';
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(screen: Screen, nowMs: () => number) {
    this.#screen = screen;
    this.#nowMs = nowMs;
  }

  say(head: string, text: string): void {
    if (this.#screen.isTTY === true) {
      this.#screen.write(`\r\x1b[K${head}${text}`);
      return;
    }
    const topic = text.split(/[ :]/)[0] ?? '';
    if (topic === this.#topic && this.#nowMs() - this.#toldMs < everyMs) return;
    this.#topic = topic;
    this.#toldMs = this.#nowMs();
    this.#screen.write(`${head}${text}\n`);
  }

  /** Leaves the line free for what comes after. */
  end(): void {
    if (this.#screen.isTTY === true) this.#screen.write('\r\x1b[K');
  }
}
