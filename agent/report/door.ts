import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';

/** What a door works with. */
export interface DoorOptions {
  /** Word for the log, e.g. `query`. */
  readonly name: string;
  /** Whether it is to be open now; asked again whenever `watch` calls back. */
  readonly isWanted: () => Promise<boolean>;
  readonly watch: (listener: () => void) => () => void;
  /** Makes the listener; a new one for every opening. */
  readonly listener: () => { start(): Promise<void>; stop(): Promise<void> };
  readonly log: Log;
  readonly clock: Clock;
}

const againMs = 60_000;

/**
 * Opens a port while it is wanted and closes it afterwards. One that cannot be opened is tried again until it can: its
 * address may come with the network, and its files with somebody who puts them there.
 */
export class Door {
  readonly #options: DoorOptions;
  #open: { stop(): Promise<void> } | undefined;
  #queue: Promise<void> = Promise.resolve();
  #unwatch: () => void = () => undefined;
  #cancel: () => void = () => undefined;
  #isOver = false;
  #told = '';

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#unwatch = this.#options.watch(() => void this.#follow());
    await this.#follow();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#unwatch();
    this.#cancel();
    await this.#follow();
  }

  /** One change after the other. Never rejects. */
  #follow(): Promise<void> {
    this.#queue = this.#queue
      .then(() => this.#turn())
      .catch((error: unknown) => {
        const { name, log, clock } = this.#options;
        const message = messageOf(error);
        if (message !== this.#told) log.warn(`${name}.unreachable`, { error: message });
        this.#told = message;
        this.#cancel();
        if (!this.#isOver) this.#cancel = clock.after(againMs, () => void this.#follow());
      });
    return this.#queue;
  }

  async #turn(): Promise<void> {
    const isWanted = !this.#isOver && (await this.#options.isWanted());
    if (isWanted === (this.#open !== undefined)) return;
    if (!isWanted) {
      const open = this.#open;
      this.#open = undefined;
      await open?.stop();
      return;
    }
    const listener = this.#options.listener();
    await listener.start();
    this.#open = listener;
    this.#told = '';
  }
}
