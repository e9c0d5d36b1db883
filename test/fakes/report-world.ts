import { defaultConfig } from '../../agent/config/default-config.ts';
import type { BrokerLink } from '../../agent/core/link.ts';
import type { Sample } from '../../agent/core/samples.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { Ledger } from '../../agent/health/ledger.ts';
import { createReport, type ReportSettings } from '../../agent/report/create-report.ts';
import type { FakeClock } from './fake-clock.ts';
import { FakeDisk } from './fake-disk.ts';
import { FakeEdgeNodes } from './fake-edge-nodes.ts';
import { FakeHub } from './fake-hub.ts';
import { QuietLog } from './quiet-log.ts';
import { statusDocument, unitStatus } from './status-document.ts';

/** A load that wanders as on a board that does its work; depends on nothing but the time. */
export function wanderingSample(wallMs: number): Sample {
  const minute = Math.floor(wallMs / 60_000);
  const noise = (Math.imul(minute, 2_654_435_761) >>> 0) / 2 ** 32;
  const disk = {
    path: '/data',
    totalBytes: 1e10,
    freeBytes: 6e9 - minute * 100,
    totalInodes: 0,
    freeInodes: 0,
  };
  return {
    atMs: wallMs,
    cpuPercent: 100 * noise,
    load: noise * 4,
    memory: { totalBytes: 2e9, availableBytes: 8e8 + noise * 4e8 },
    temperatureC: 45 + noise * 10,
    disks: [disk],
    wear: [{ device: 'mmcblk0', usedLifePercent: 10, reserve: 'normal' }],
    writtenBytes: minute * 1_000,
    network: [],
    containers: { running: 3, paused: 0, stopped: 1 },
    self: { memoryBytes: 5e7, writtenBytes: 0 },
  };
}

/** The whole room of reports on a joined board, with memory for a disk and a fake cloud, over the given broker. */
export async function reportWorld(
  clock: FakeClock,
  broker: BrokerLink,
  settings: Partial<ReportSettings> = {},
) {
  const log = new QuietLog();
  const board = new HealthBoard(clock);
  const disk = new FakeDisk();
  const hub = new FakeHub();
  const gate = new SpeakerGate();
  const tls = { caFile: '/ca', certFile: '/cert', keyFile: '/key' };
  const nodes = new FakeEdgeNodes({ hub: { host: '192.0.2.1', port: 10_000, projectId: 'p', tls } });
  const storage = { files: disk, appends: disk };
  const ledger = new Ledger({ storage, clock, log, directory: '/state', bootId: '0a1b2c3d-0000' });
  await ledger.start();
  const listening: number[] = [];
  let starts = 2;
  let id = 0;
  const report = createReport({
    settings: { ...defaultConfig(), ...settings },
    stateDir: '/state',
    clock,
    random: () => 0.5,
    log,
    storage,
    links: { broker, hub, http: { call: () => Promise.resolve({ status: 500, body: '' }) } },
    nodes,
    gate,
    board,
    ledger,
    sample: () => wanderingSample(clock.wallMs()),
    status: () =>
      statusDocument(board, [unitStatus('dockerd', 'ready', 1), unitStatus('edgecore', 'ready', starts)]),
    doctor: () => Promise.resolve({ worst: 'ok', findings: [] }),
    logs: async function* () {
      yield* await Promise.resolve([]);
    },
    verbs: {},
    commandKey: () => Promise.resolve(undefined),
    listen: (_desk, port) => ({
      start: async () => {
        listening.push(port);
        await Promise.resolve();
      },
      stop: async () => {
        listening.pop();
        await Promise.resolve();
      },
    }),
    newId: () => `0000${(id += 1)}`,
  });
  for (const type of [
    'Prepared',
    'DockerReady',
    'EdgecoreReady',
    'CloudConnected',
    'NetworkReady',
    'ClockSynced',
  ]) {
    board.set(type, 'true', { reason: 'Ready', message: 'all is well' });
  }
  gate.edgecoreAdopted();
  const restart = (): void => {
    starts += 1;
    ledger.write({
      kind: 'restart',
      subject: 'edgecore',
      reason: 'Exited',
      message: `edgecore exited 1, start ${starts}`,
    });
  };
  return { log, board, disk, hub, gate, nodes, ledger, report, listening, restart };
}
