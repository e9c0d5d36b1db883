import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { EdgeNodes } from '../core/edge-node.ts';
import type { Log } from '../core/log.ts';

/** What the door works with. */
export interface QueryDoorOptions {
  readonly nodes: EdgeNodes;
  readonly log: Log;
  readonly clock: Clock;
  /** Makes the listener; a new one for every opening. */
  readonly listener: () => { start(): Promise<void>; stop(): Promise<void> };
}

const againMs = 60_000;

/** Opens the port for questions while the board belongs to a cluster, and closes it when it leaves. */
export class QueryDoor {
  readonly #options: QueryDoorOptions;
  #open: { stop(): Promise<void> } | undefined;
  #queue: Promise<void> = Promise.resolve();
  #unwatch: () => void = () => undefined;
  #cancel: () => void = () => undefined;
  #isOver = false;

  constructor(options: QueryDoorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#unwatch = this.#options.nodes.watch(() => void this.#follow());
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
        this.#options.log.warn('query.unreachable', { error: messageOf(error) });
        if (!this.#isOver) this.#cancel = this.#options.clock.after(againMs, () => void this.#follow());
      });
    return this.#queue;
  }

  async #turn(): Promise<void> {
    const isWanted = !this.#isOver && (await this.#options.nodes.read()) !== undefined;
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
  }
}
