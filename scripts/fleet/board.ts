import type { StatusDocument } from '../../agent/api/wire.ts';
import type { Clock } from '../../agent/core/clock.ts';
import type { BrokerLink, FrameLink, FrameTarget } from '../../agent/core/link.ts';
import type { QuestionDesk } from '../../agent/core/question.ts';
import type { Sample } from '../../agent/core/samples.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { Ledger } from '../../agent/health/ledger.ts';
import { createReport, type ReportSettings } from '../../agent/report/create-report.ts';
import type { Report } from '../../agent/report/report.ts';
import { FakeDisk } from '../../test/fakes/fake-disk.ts';
import { FakeEdgeNodes } from '../../test/fakes/fake-edge-nodes.ts';
import { statusDocument, unitStatus } from '../../test/fakes/status-document.ts';

/** What all boards of a fleet share. */
export interface Shared {
  readonly clock: Clock;
  readonly settings: ReportSettings;
  readonly broker: BrokerLink;
  readonly brokerUrl: string;
  readonly hub: FrameLink;
  readonly hubPort: number;
  readonly tls: FrameTarget['tls'];
}

const healthy = ['Prepared', 'DockerReady', 'EdgecoreReady', 'CloudConnected', 'NetworkReady', 'ClockSynced'];
/** A log that nobody reads. */
export const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** One board: the agent's real room of reports, and a machine that is simulated. */
export class SimulatedBoard {
  readonly name: string;
  readonly report: Report;
  readonly health: HealthBoard;
  readonly ledger: Ledger;
  readonly disk = new FakeDisk();
  desk: QuestionDesk | undefined;
  #starts = 2;

  constructor(index: number, shared: Shared) {
    const { clock, settings, brokerUrl, hubPort, tls } = shared;
    this.name = `board-${String(index).padStart(5, '0')}`;
    this.health = new HealthBoard(clock);
    const storage = { files: this.disk, appends: this.disk };
    const bootId = `${index.toString(16).padStart(8, '0')}-0000`;
    this.ledger = new Ledger({ storage, clock, log: silent, directory: '/state', bootId });
    const gate = new SpeakerGate();
    const nodes = new FakeEdgeNodes({
      node: this.name,
      broker: { url: brokerUrl },
      hub: { host: '127.0.0.1', port: hubPort, projectId: 'fleet', tls },
    });
    let ids = 0;
    this.report = createReport({
      settings,
      stateDir: '/state',
      clock,
      random: Math.random,
      log: silent,
      storage,
      links: { broker: shared.broker, hub: shared.hub, http: { call: noKubeApi } },
      nodes,
      gate,
      board: this.health,
      ledger: this.ledger,
      sample: () => sampleOf(index, clock.wallMs()),
      status: () => this.#status(),
      doctor: () => Promise.resolve({ worst: 'ok', findings: [] }),
      logs: noLines,
      verbs: {},
      commandKey: () => Promise.resolve(undefined),
      listen: (desk) => ({
        start: async () => {
          this.desk = desk;
          await Promise.resolve();
        },
        stop: () => Promise.resolve(),
      }),
      newId: () => `${index.toString(36).padStart(8, '0')}${(ids += 1)}`,
    });
    for (const type of healthy) this.set(type, true);
    gate.edgecoreAdopted();
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.ledger.start();
    await this.report.start(signal);
  }

  set(type: string, isGood: boolean): void {
    const reason = isGood ? 'Ready' : 'Lost';
    this.health.set(type, isGood ? 'true' : 'false', {
      reason,
      message: isGood ? 'all is well' : 'it was lost',
    });
  }

  #status(): StatusDocument {
    const units = [unitStatus('dockerd', 'ready', 1), unitStatus('edgecore', 'ready', this.#starts)];
    const document = statusDocument(this.health, units);
    return { ...document, agent: { ...document.agent, node: this.name } };
  }

  /** edgecore ended and was started again: one entry of the ledger. */
  restart(): void {
    this.#starts += 1;
    const message = `edgecore exited 1, start ${this.#starts}`;
    this.ledger.write({ kind: 'restart', subject: 'edgecore', reason: 'Exited', message });
  }
}

function nothing(): void {}

function noKubeApi(): Promise<{ status: number; body: string }> {
  return Promise.resolve({ status: 500, body: '' });
}

async function* noLines(): AsyncGenerator<never> {
  yield* await Promise.resolve([]);
}

/** A load that wanders as on a board that does its work, on each board in its own way. */
function sampleOf(index: number, wallMs: number): Sample {
  const minute = Math.floor(wallMs / 60_000);
  const noise = (Math.imul(minute + index * 7_919, 2_654_435_761) >>> 0) / 2 ** 32;
  return {
    atMs: wallMs,
    cpuPercent: 100 * noise,
    load: noise * 4,
    memory: { totalBytes: 2e9, availableBytes: 8e8 + noise * 4e8 },
    temperatureC: 45 + noise * 10,
    disks: [{ path: '/data', totalBytes: 1e10, freeBytes: 6e9, totalInodes: 0, freeInodes: 0 }],
    wear: [{ device: 'mmcblk0', usedLifePercent: 10, reserve: 'normal' }],
    writtenBytes: minute * 1_000,
    network: [],
    containers: { running: 3, paused: 0, stopped: 1 },
    self: { memoryBytes: 5e7, writtenBytes: 0 },
  };
}
