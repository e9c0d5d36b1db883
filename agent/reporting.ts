import { readFileSync } from 'node:fs';
import type { Verbs } from './api/verbs.ts';
import { commandVerbs } from './command-verbs.ts';
import type { Config } from './config/config.ts';
import type { Api } from './core/api-port.ts';
import type { Clock } from './core/clock.ts';
import type { DockerApi } from './core/docker.ts';
import type { EdgeNodes } from './core/edge-node.ts';
import type { Files } from './core/files.ts';
import type { Log } from './core/log.ts';
import type { SpeakerGate } from './core/speaker-gate.ts';
import type { UnitLogs } from './core/unit-logs.ts';
import type { HealthBoard } from './health/board.ts';
import { Ledger } from './health/ledger.ts';
import { LedgerKeeper } from './health/ledger-keeper.ts';
import { tellOwnHang } from './health/own-hang.ts';
import { Sampler, type SamplerOptions } from './health/sampler.ts';
import { AppendStore } from './host/append-store.ts';
import { CloudHubLink } from './host/cloudhub-link.ts';
import { HttpClient } from './host/http-client.ts';
import { LanListener, type TextPages } from './host/lan-listener.ts';
import { MqttLink } from './host/mqtt-link.ts';
import { ProcSamples } from './host/proc-samples.ts';
import { QueryListener } from './host/query-listener.ts';
import { randomId } from './host/random-id.ts';
import { createReport } from './report/create-report.ts';
import { Door } from './report/door.ts';
import { metricsText, metricsType } from './report/metrics.ts';
import type { Report } from './report/report.ts';

/** What the composition root already has. */
export interface ReportingParts {
  readonly config: Config;
  readonly home: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly files: Files;
  readonly docker: DockerApi;
  readonly unitLogs: UnitLogs;
  readonly nodes: EdgeNodes;
  readonly gate: SpeakerGate;
  /** Later than the others: the verbs want the ledger and the reports of this very thing. */
  readonly verbs: () => Verbs;
  readonly api: () => Api;
  /** Ends the agent in order, to be started anew. */
  readonly leave?: () => void;
}

/** Room that must be left above a limit before its pressure ends, in percent. */
const hysteresisPercent = 5;

/** The ledger, the samples and everything that goes out, built from ports and host; no logic besides. */
export class Reporting {
  readonly ledger: Ledger;
  readonly sampler: Sampler;
  readonly #parts: ReportingParts;
  readonly #keeper: LedgerKeeper;
  readonly #report: Report;
  readonly #lan: Door;

  constructor(parts: ReportingParts) {
    const { config, home, clock, board, log, files, docker } = parts;
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const storage = { files, appends: new AppendStore() };
    const disk = config['health.diskFreePercent'];
    const memory = config['health.memoryFreePercent'];
    this.#parts = parts;
    this.#lan = new Door({
      name: 'lan',
      log,
      clock,
      isWanted: () => Promise.resolve(config['listen.enabled']),
      watch: () => () => undefined,
      listener: () => this.#lanListener(),
    });
    this.ledger = new Ledger({ storage, clock, log, directory: `${home}/state`, bootId });
    this.#keeper = new LedgerKeeper({ ledger: this.ledger, board, clock, bootId });
    this.sampler = new Sampler({
      samples: new ProcSamples({ disks: [...new Set([home, config['dockerd.dataRoot']])] }),
      board,
      clock,
      log,
      docker,
      intervalMs: config['health.sampleMs'],
      memory: { enterPercent: memory, leavePercent: memory + hysteresisPercent },
      disk: { enterPercent: disk, leavePercent: disk + hysteresisPercent },
      ...ownBound(config, parts.leave),
    });
    this.#report = createReport({
      settings: config,
      stateDir: `${home}/state`,
      clock,
      random: parts.random,
      log,
      storage,
      links: { broker: new MqttLink(), hub: new CloudHubLink(), http: new HttpClient() },
      nodes: parts.nodes,
      gate: parts.gate,
      board,
      ledger: this.ledger,
      sample: () => this.sampler.latest(),
      status: () => parts.verbs().status(),
      doctor: (signal) => parts.verbs().doctor(signal),
      logs: (query, signal) => parts.unitLogs.lines(query, signal),
      verbs: commandVerbs({ verbs: parts.verbs, home, argv: process.argv.slice(2) }),
      commandKey: async () => (await files.read(config['command.keyFile'], 4_096))?.trim(),
      listen: (desk, port) => new QueryListener(desk, port),
      newId: () => randomId(),
    });
  }

  /** Opens the ledger; before the first unit is started, so that nothing is missed. */
  async startLedger(): Promise<void> {
    await this.#keeper.start();
  }

  /** Starts the samples and the reports; the agent does not wait for them. */
  async start(signal: AbortSignal): Promise<void> {
    const { files, board, log, home } = this.#parts;
    await tellOwnHang({ files, board, log, path: `${home}/state/agent-hang.log` });
    await this.sampler.start(signal);
    await this.#report.start(signal);
    await this.#lan.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#lan.stop(), this.#report.stop(), this.sampler.stop()]);
    await this.#keeper.stop();
  }

  /** How the reports fare. */
  state(): ReturnType<Report['state']> {
    return this.#report.state();
  }

  /** Takes everything of ours off the Node object, before the certificates go. Reports whether the cloud confirmed it. */
  async retract(signal: AbortSignal): Promise<boolean> {
    return this.#report.retract(signal);
  }

  #lanListener(): LanListener {
    const { config, log, api } = this.#parts;
    const revoked = config['listen.revokedFile'];
    return new LanListener({
      api: api(),
      pages: this.#pages(),
      log,
      address: config['listen.address'],
      port: config['listen.port'],
      tls: {
        caFile: config['listen.caFile'],
        certFile: config['listen.certFile'],
        keyFile: config['listen.keyFile'],
        revokedFile: revoked === '' ? undefined : revoked,
      },
    });
  }

  #pages(): TextPages {
    const plain = 'text/plain; charset=utf-8';
    return async (path) => {
      if (path === '/healthz') return { status: 200, type: plain, body: 'ok\n' };
      if (path === '/readyz') {
        const causes = this.#parts.board.summary().roots.map((root) => `${root.type}: ${root.reason}\n`);
        return { status: causes.length === 0 ? 200 : 503, type: plain, body: causes.join('') || 'ok\n' };
      }
      if (path !== '/metrics') return undefined;
      const status = this.#parts.verbs().status();
      const source = { status, sample: this.sampler.latest(), ledgerSequence: this.ledger.lastSequence };
      return { status: 200, type: metricsType, body: await metricsText(source) };
    };
  }
}

function ownBound(config: Config, leave: (() => void) | undefined): Pick<SamplerOptions, 'own'> {
  return leave === undefined ? {} : { own: { maxBytes: config['health.agentMaxBytes'], exceeded: leave } };
}
