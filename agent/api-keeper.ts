import { isAgentError, messageOf } from './core/agent-error.ts';
import type { Api, Permission } from './core/api-port.ts';
import type { Clock } from './core/clock.ts';
import type { Log } from './core/log.ts';
import type { HealthBoard } from './health/board.ts';
import { ApiListener } from './host/api-listener.ts';
import { moment } from './host/next-turn.ts';

/** What the keeper needs. */
export interface ApiKeeperParts {
  readonly api: Api;
  readonly board: HealthBoard;
  readonly clock: Clock;
  readonly log: Log;
  readonly home: string;
  /** Numeric group of observe.sock; -1 leaves it to root. */
  readonly group: number;
}

/** Milliseconds between two tries to open a socket that could not be made, e.g. on a full or read-only disk. */
const retryMs = 10_000;

/**
 * Keeps the two ways in open: agent.sock for root, observe.sock for reading only. A board whose disk is in trouble goes on
 * without them and tries again; only another living agent ends the start.
 */
export class ApiKeeper {
  readonly #parts: ApiKeeperParts;
  readonly #open = new Map<string, ApiListener>();
  #cancel: () => void = () => undefined;
  #isOver = false;

  constructor(parts: ApiKeeperParts) {
    this.#parts = parts;
  }

  /** Whoever waits for the first way in is answered before there is a second. Rejects with ALREADY_RUNNING only. */
  async start(): Promise<void> {
    try {
      await this.#listenOn('agent.sock', { mode: 0o600 }, ['observe', 'operate']);
      // The log too, because opening it takes as long as an answer.
      await moment();
      const { group } = this.#parts;
      const access = group < 0 ? { mode: 0o600 } : { mode: 0o660, groupId: group };
      await this.#listenOn('observe.sock', access, ['observe']);
      this.#parts.log.info('api.listening', { paths: [...this.#open.keys()] });
      this.#parts.board.set('ApiReady', 'true', { reason: 'Listening', message: '' });
    } catch (error) {
      if (isAgentError(error, 'ALREADY_RUNNING')) throw error;
      const message = messageOf(error);
      this.#parts.log.error('api.unreachable', { message });
      this.#parts.board.set('ApiReady', 'false', { reason: 'CannotListen', message });
      this.#retryLater();
    }
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#cancel();
    await Promise.all([...this.#open.values()].map((listener) => listener.stop()));
  }

  /** A way in that is open stays so: whoever uses it must not pay for the other one. */
  async #listenOn(
    name: string,
    access: { readonly mode: number; readonly groupId?: number },
    may: readonly Permission[],
  ): Promise<void> {
    if (this.#isOver || this.#open.has(name)) return;
    const { api, log, home } = this.#parts;
    const listener = new ApiListener({ api, log, path: `${home}/run/${name}`, access, may });
    await listener.start();
    this.#open.set(name, listener);
    // Whoever stopped meanwhile did not know of it.
    if (this.#isOver) await listener.stop();
  }

  #retryLater(): void {
    if (this.#isOver) return;
    this.#cancel = this.#parts.clock.after(retryMs, () => {
      this.start().catch((error: unknown) => {
        this.#parts.log.error('api.lost', { message: messageOf(error) });
      });
    });
  }
}
