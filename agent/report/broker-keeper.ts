import { messageOf } from '../core/agent-error.ts';
import { type BackoffPolicy, backoffDelay } from '../core/backoff.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { EdgeNode, EdgeNodes } from '../core/edge-node.ts';
import { underEither } from '../core/either-signal.ts';
import {
  type BrokerLink,
  type BrokerSession,
  type BrokerTarget,
  type LinkEnd,
  LinkError,
} from '../core/link.ts';
import type { Log } from '../core/log.ts';
import { Bell } from './bell.ts';

/** Somebody who uses a session with the event bus as long as it lives. */
export interface BrokerUser {
  run(session: BrokerSession, node: EdgeNode, signal: AbortSignal): Promise<void>;
}

/** How the session fares. */
export type BrokerState =
  | { readonly phase: 'idle' | 'connecting' | 'up' }
  | { readonly phase: 'down'; readonly end: LinkEnd };

/** What the keeper works with. */
export interface BrokerKeeperOptions {
  readonly link: BrokerLink;
  readonly nodes: EdgeNodes;
  readonly users: readonly BrokerUser[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const backoff: BackoffPolicy = { floorMs: 1_000, ceilingMs: 60_000 };
/** A refusal that a person must cure is tried again only now and then. */
const hopelessMs = 300_000;
/** A session that lived so long forgives earlier failures. */
const stableMs = 60_000;

/** Keeps one session with edgecore's event bus while the board belongs to a cluster, and nothing otherwise. */
export class BrokerKeeper {
  readonly #options: BrokerKeeperOptions;
  readonly #stop = new AbortController();
  #state: BrokerState = { phase: 'idle' };
  #running: Promise<void> | undefined;

  constructor(options: BrokerKeeperOptions) {
    this.#options = options;
  }

  start(signal: AbortSignal): void {
    this.#running = this.#loop(AbortSignal.any([signal, this.#stop.signal]));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  state(): BrokerState {
    return this.#state;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { nodes, clock, random } = this.#options;
    const bell = new Bell(clock);
    const unwatch = nodes.watch(() => bell.ring());
    let failures = 0;
    while (!signal.aborted) {
      const node = await this.#read();
      if (node?.broker === undefined) {
        this.#state = { phase: 'idle' };
        await bell.wait(Number.POSITIVE_INFINITY, signal);
        continue;
      }
      const beganMs = clock.nowMs();
      await this.#serve(node, node.broker, signal);
      failures = clock.nowMs() - beganMs > stableMs ? 1 : failures + 1;
      const isHopeless = this.#state.phase === 'down' && this.#state.end.isPermanent;
      await bell.wait(isHopeless ? hopelessMs : backoffDelay(failures, backoff, random()), signal);
    }
    unwatch();
  }

  async #read(): Promise<EdgeNode | undefined> {
    try {
      return await this.#options.nodes.read();
    } catch (error) {
      this.#options.log.warn('edge.unreadable', { error: messageOf(error) });
      return undefined;
    }
  }

  /** One session from opening to end. Never rejects. */
  async #serve(node: EdgeNode, broker: Omit<BrokerTarget, 'clientId'>, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await underEither(signal, over.signal, (inner) => this.#session(node, broker, { over, inner }));
  }

  async #session(
    node: EdgeNode,
    broker: Omit<BrokerTarget, 'clientId'>,
    { over, inner }: { readonly over: AbortController; readonly inner: AbortSignal },
  ): Promise<void> {
    const unwatch = this.#options.nodes.watch(() => void this.#endWhenMoved(node, over));
    try {
      // It may have moved between the reading and the watching.
      await this.#endWhenMoved(node, over);
      inner.throwIfAborted();
      this.#become({ phase: 'connecting' });
      const target = { ...broker, clientId: `oh-edge-agent-${node.node}` };
      const session = await this.#options.link.open(target, inner);
      this.#become({ phase: 'up' });
      void session.ended.then(() => over.abort());
      await this.#use(session, node, { over, inner });
      await session.close();
      this.#become({ phase: 'down', end: await session.ended });
    } catch (error) {
      if (!inner.aborted) this.#become({ phase: 'down', end: endOf(error) });
    } finally {
      over.abort();
      unwatch();
    }
  }

  /** Lets every user run until the session is over; the first one that fails ends it for all. */
  async #use(
    session: BrokerSession,
    node: EdgeNode,
    { over, inner }: { readonly over: AbortController; readonly inner: AbortSignal },
  ): Promise<void> {
    const runs = this.#options.users.map(async (user) => {
      try {
        await user.run(session, node, inner);
      } catch (error) {
        if (!inner.aborted) this.#options.log.warn('broker.user-failed', { error: messageOf(error) });
        over.abort();
      }
    });
    await Promise.all(runs);
  }

  /** Ends a session whose broker or node is no longer the one in the configuration. */
  async #endWhenMoved(node: EdgeNode, over: AbortController): Promise<void> {
    const now = await this.#read();
    if (JSON.stringify([now?.node, now?.broker]) !== JSON.stringify([node.node, node.broker])) over.abort();
  }

  #become(state: BrokerState): void {
    const before = this.#state;
    this.#state = state;
    const isNews = reasonOf(before) !== reasonOf(state) && state.phase !== 'connecting';
    if (!isNews) return;
    if (state.phase === 'down') this.#options.log.warn('broker.down', { ...state.end });
    else this.#options.log.info(`broker.${state.phase}`);
  }
}

function reasonOf(state: BrokerState): string {
  return state.phase === 'down' ? state.end.reason : state.phase;
}

function endOf(error: unknown): LinkEnd {
  if (error instanceof LinkError) return error.end;
  return { reason: 'Failed', message: messageOf(error), isPermanent: false };
}
