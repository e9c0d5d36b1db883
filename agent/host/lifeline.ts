import net from 'node:net';
import type { ListenAddress } from '../core/process.ts';

/** Milliseconds until a lost lifeline is thrown again to a process that lives. */
const againMs = 1_000;

/**
 * A connection to where a process listens, on which nothing is ever said. The kernel closes it with the process, so the
 * end of a process that is no child of ours is known at once and without looking.
 */
export class Lifeline {
  readonly #address: ListenAddress;
  readonly #changed: () => void;
  #socket: net.Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;

  /** `changed` is called whenever the line was caught or cut: then it is time to look at the process. */
  constructor(address: ListenAddress, changed: () => void) {
    this.#address = address;
    this.#changed = changed;
    this.#throw();
  }

  /** Whether somebody holds the other end now. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#isHeld = false;
    this.#socket?.removeAllListeners('close').destroy();
    this.#socket = undefined;
  }

  #throw(): void {
    const socket = connect(this.#address).unref();
    this.#socket = socket;
    // What is said is thrown away; unread, it would hide the end.
    socket.resume();
    socket.on('error', () => undefined);
    socket.once('connect', () => {
      this.#isHeld = true;
      this.#changed();
    });
    socket.once('close', () => {
      const wasHeld = this.#isHeld;
      this.#isHeld = false;
      this.#timer = setTimeout(() => this.#throw(), againMs).unref();
      if (wasHeld) this.#changed();
    });
  }
}

function connect(address: ListenAddress): net.Socket {
  return typeof address === 'string' ? net.connect(address) : net.connect(address, '127.0.0.1');
}
