import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { EdgeNode } from '../core/edge-node.ts';
import type { BrokerSession } from '../core/link.ts';
import type { Log } from '../core/log.ts';
import type { News, Waiting } from './backlog.ts';
import { Bell } from './bell.ts';
import type { Spool } from './spool.ts';

/** What a journal works with. */
export interface JournalOptions {
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Log;
  /** Topic of a router rule eventbus→rest, e.g. `default/agent/report`. */
  readonly topic: string;
}

/** Time between two messages in milliseconds: edgecore's own budget is 30 a second for everything. */
const gapMs = 200;

/**
 * Free reports to whoever the cloud's router names: every entry of the ledger, and each condition as it last was. What
 * cannot be sent waits in the spool, in order.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #bell: Bell;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#bell = new Bell(options.clock);
  }

  /** Takes news. A disk that refuses it costs durability, not the news. */
  async take(news: News): Promise<void> {
    try {
      await this.#options.spool.put(news);
    } catch (error) {
      this.#options.log.warn('journal.refused', { error: messageOf(error) });
    }
    this.#bell.ring();
  }

  /** Sends over this session until it ends or the signal aborts. */
  async run(session: BrokerSession, { node }: EdgeNode, signal: AbortSignal): Promise<void> {
    const { spool, clock, topic } = this.#options;
    try {
      while (!signal.aborted) {
        const item = spool.first();
        if (item === undefined) {
          await this.#bell.wait(Number.POSITIVE_INFINITY, signal);
          continue;
        }
        await session.publish({ topic, payload: encodeNews(node, item) }, signal);
        await spool.done(item.sequence);
        await clock.sleep(gapMs, signal);
      }
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) throw error;
    }
  }
}

/** One message of the journal. `node` and `sequence` together are its identity: what comes twice has the same. */
function encodeNews(node: string, item: Waiting): string {
  const head = { schema: 1, node, sequence: item.sequence };
  switch (item.kind) {
    case 'state':
      return JSON.stringify({ ...head, kind: 'state', key: item.key, state: item.body });
    case 'event':
      return JSON.stringify({ ...head, kind: 'event', event: item.body });
    case 'loss':
      return JSON.stringify({ ...head, kind: 'loss', lost: item.count });
  }
}
