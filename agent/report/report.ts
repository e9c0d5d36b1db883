import { messageOf } from '../core/agent-error.ts';
import type { EdgeNodes } from '../core/edge-node.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';
import type { AgentEvent } from '../health/condition.ts';
import type { Ledger, LedgerRecord } from '../health/ledger.ts';
import type { Bell } from './bell.ts';
import type { BrokerKeeper, BrokerState } from './broker-keeper.ts';
import type { CloudReporter } from './cloud-reporter.ts';
import type { CloudState } from './cloud-state.ts';
import type { Door } from './door.ts';
import type { Journal } from './journal.ts';
import type { Spool } from './spool.ts';
import type { TwinReporter, TwinState } from './twin-reporter.ts';

/** How the reports fare. */
export interface ReportState {
  readonly broker: BrokerState;
  readonly twin: TwinState;
  readonly node: CloudState;
  /** Ledger entries and conditions that wait for the journal's topic. */
  readonly waiting: number;
}

/** Everything that the room is made of; what is switched off is undefined. */
export interface ReportParts {
  readonly board: HealthBoard;
  readonly ledger: Ledger;
  readonly nodes: EdgeNodes;
  readonly log: Log;
  readonly spools: readonly Spool[];
  /** Entries of the ledger that become events of the Node. */
  readonly events: Spool | undefined;
  readonly journal: Journal | undefined;
  readonly twin: TwinReporter;
  readonly bells: readonly Bell[];
  readonly broker: BrokerKeeper | undefined;
  readonly node: CloudReporter | undefined;
  readonly door: Door | undefined;
  readonly state: () => ReportState;
}

/** Outward news of this board, started and stopped as one. */
export class Report {
  readonly #parts: ReportParts;
  readonly #undo: (() => void)[] = [];
  /** Whether anybody will ever want the news; a board without a cluster writes none to its flash. */
  #isJoined = false;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** Reads the spools, then listens and tells in the background. A disk in trouble costs the spools, not the reports. */
  async start(signal: AbortSignal): Promise<void> {
    const { spools, board, ledger, broker, node, door, log } = this.#parts;
    for (const spool of spools) {
      await spool
        .start()
        .catch((error: unknown) => log.warn('spool.unreadable', { error: messageOf(error) }));
    }
    await this.#look();
    this.#undo.push(
      this.#parts.nodes.watch(() => void this.#look()),
      board.watch((event) => this.#heard(event)),
      ledger.watch((record) => this.#noted(record)),
    );
    broker?.start(signal);
    await node?.start(signal);
    await door?.start();
  }

  async stop(): Promise<void> {
    const { spools, broker, node, door } = this.#parts;
    for (const undo of this.#undo.splice(0)) undo();
    await Promise.all([door?.stop(), node?.stop(), broker?.stop()]);
    await Promise.all(spools.map((spool) => spool.stop()));
  }

  state(): ReportState {
    return this.#parts.state();
  }

  /** Takes everything of ours off the Node object; for leaving a cluster. Reports whether the cloud confirmed it. */
  async retract(signal: AbortSignal): Promise<boolean> {
    // What was not told by now is nobody's business in the next cluster.
    this.#isJoined = false;
    await Promise.all(this.#parts.spools.map((spool) => spool.clear().catch(() => undefined)));
    return (await this.#parts.node?.retract(signal)) ?? true;
  }

  async #look(): Promise<void> {
    try {
      this.#isJoined = (await this.#parts.nodes.read()) !== undefined;
    } catch (error) {
      this.#parts.log.warn('edge.unreadable', { error: messageOf(error) });
    }
  }

  #heard({ event, fields, atMs }: AgentEvent): void {
    const { bells, twin, journal } = this.#parts;
    if (event !== 'condition.changed' && event !== 'condition.cleared' && event !== 'unit.changed') return;
    for (const bell of bells) bell.ring();
    if (event !== 'condition.changed' || !this.#isJoined) return;
    const { type, status } = fields;
    if (type === 'CloudConnected' && status === 'true') twin.cloudReturned();
    if (typeof type === 'string') void journal?.take({ kind: 'state', key: type, body: { ...fields, atMs } });
  }

  #noted(record: LedgerRecord): void {
    const { bells, journal, events, log } = this.#parts;
    const ring = (): void => {
      for (const bell of bells) bell.ring();
    };
    ring();
    if (!this.#isJoined) return;
    void journal?.take({ kind: 'event', body: record });
    // It waits to be sent only once it is written down.
    events?.put({ kind: 'event', body: record }).then(ring, (error: unknown) => {
      ring();
      log.warn('events.refused', { error: messageOf(error) });
    });
  }
}
