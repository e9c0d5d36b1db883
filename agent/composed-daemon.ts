import type { ApiKeeper } from './api-keeper.ts';
import type { Config } from './config/config.ts';
import type { LoadedConfig } from './config/load.ts';
import { isAbort } from './core/agent-error.ts';
import type { Edge } from './edge/edge.ts';
import type { HealthBoard } from './health/board.ts';
import type { JsonLog } from './host/json-log.ts';
import { nextTurn } from './host/next-turn.ts';
import { protectSelf } from './host/protect-self.ts';
import type { PartsKeeper } from './parts/parts-keeper.ts';
import type { Prep } from './prep/create-prep.ts';
import type { Reporting } from './reporting.ts';
import type { Supervisor } from './units/supervisor.ts';
import type { Updater } from './update/updater.ts';

/** One agent, built and not yet started. */
export interface Daemon {
  /** Answers first, then prepares the ground, then brings up the units. Rejects where another agent runs here already. */
  start(signal: AbortSignal): Promise<void>;
  /** Ends the agent; its units run on and are taken over by the next one. */
  stop(): Promise<void>;
}

/** Everything that one agent is made of. */
export interface Rooms {
  readonly board: HealthBoard;
  readonly log: JsonLog;
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly configProblems: readonly string[];
  readonly keeper: ApiKeeper;
  readonly parts: PartsKeeper;
  readonly prep: Prep;
  readonly supervisor: Supervisor;
  readonly edge: Edge;
  readonly reporting: Reporting;
  readonly updater: Updater;
}

/** Order of start and stop; no logic besides. */
export class ComposedDaemon implements Daemon {
  readonly #rooms: Rooms;
  readonly #over = new AbortController();
  #opening: Promise<void> = Promise.resolve();
  #bringUp: Promise<void> = Promise.resolve();
  #reports: Promise<void> = Promise.resolve();

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#opening = this.#open(signal);
    await this.#opening;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { keeper, log, board, supervisor, config, edge, reporting } = this.#rooms;
    const until = AbortSignal.any([signal, this.#over.signal]);
    this.#reportConfig();
    if (config['prep.enabled']) {
      board.set('Prepared', 'unknown', {
        reason: 'NotLookedYet',
        message: 'The ground work has not looked yet',
      });
    }
    await edge.open();
    supervisor.announce();
    await keeper.start();
    protectSelf(log);
    await reporting.startLedger();
    await nextTurn();
    this.#bringUp = this.#prepareAndSupervise(until).catch((error: unknown) => {
      if (!isAbort(error)) log.error('daemon.start.failed', { error });
    });
    this.#reports = this.#report(until).catch((error: unknown) => {
      if (!isAbort(error)) log.error('reports.start.failed', { error });
    });
  }

  /** Whoever waits for the API or for the units does not wait for the first samples and messages too. */
  async #report(signal: AbortSignal): Promise<void> {
    await nextTurn();
    await this.#rooms.reporting.start(signal);
  }

  async stop(): Promise<void> {
    const { keeper, prep, supervisor, log, edge, reporting, parts, updater } = this.#rooms;
    this.#over.abort(new DOMException('The agent stops', 'AbortError'));
    // Whoever answers can be told to stop before everything has begun: what is under way ends first.
    await this.#opening.catch(() => undefined);
    await Promise.all([this.#bringUp, this.#reports]);
    await parts.stop();
    await updater.stop();
    await edge.stop();
    await supervisor.stop();
    await reporting.stop();
    await prep.stop();
    await keeper.stop();
    log.info('agent.stopped');
  }

  async #prepareAndSupervise(signal: AbortSignal): Promise<void> {
    const { prep, supervisor, config, edge, parts, updater } = this.#rooms;
    await updater.open();
    if (config['prep.enabled']) {
      await prep.start(signal);
      await prep.prepared(signal);
    }
    await supervisor.start(signal);
    updater.start(signal);
    parts.start(signal);
    if (config['edgecore.enabled']) await edge.start(signal);
  }

  #reportConfig(): void {
    const { board, log, loaded, configProblems } = this.#rooms;
    if (configProblems.length === 0) {
      board.set('ConfigValid', 'true', {
        reason: 'Parsed',
        message: `The configuration comes from: ${loaded.source}`,
      });
      return;
    }
    const message = `${configProblems.join('; ')}. Running on: ${loaded.source}. Correct the file and restart the agent`;
    board.set('ConfigValid', 'false', { reason: 'Invalid', message });
    log.error('config.invalid', { problems: configProblems, source: loaded.source });
  }
}
