import assert from 'node:assert/strict';
import type { HttpCaller, HttpReply } from '../../agent/core/http-caller.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { Bell } from '../../agent/report/bell.ts';
import { CloudChannels } from '../../agent/report/cloud-channels.ts';
import { CloudMemory } from '../../agent/report/cloud-memory.ts';
import { CloudReporter, type CloudReporterOptions } from '../../agent/report/cloud-reporter.ts';
import { Spool } from '../../agent/report/spool.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeDisk } from './fake-disk.ts';
import { FakeEdgeNodes } from './fake-edge-nodes.ts';
import { FakeHub, type FakeHubOptions } from './fake-hub.ts';
import { QuietLog } from './quiet-log.ts';

const pace = { intervalMs: 5_000, messageMs: 300_000, badMs: 600_000, goodMs: 21_600_000 };
const hubFacts = {
  host: '192.0.2.1',
  port: 10_000,
  projectId: 'p',
  tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key' },
};

/** How one world differs from the usual one. */
export interface CloudWorldOptions extends FakeHubOptions {
  readonly disk?: FakeDisk;
  readonly hub?: FakeHub;
  readonly clock?: FakeClock;
  readonly edgecoreVersion?: string;
  readonly metaServer?: (body: string) => HttpReply;
  /** Chance of this board. */
  readonly chance?: number;
  /** Whether nobody has found edgecore well yet, as just after a restart of the agent. */
  readonly isStarting?: boolean;
}

/** The reporter of a board's conditions; whatever changes there rings the bell. */
export function reporterOf(
  board: HealthBoard,
  parts: Omit<CloudReporterOptions, 'random' | 'pace' | 'board'>,
  chance = 0.5,
): CloudReporter {
  const reporter = new CloudReporter({ ...parts, random: () => chance, pace, board });
  board.watch(() => parts.bell.ring());
  return reporter;
}

/** A joined board whose Node conditions are kept at a fake cloud. edgecore runs at the start. */
export async function cloudWorld(options: CloudWorldOptions = {}) {
  const clock = options.clock ?? new FakeClock();
  const log = new QuietLog();
  const board = new HealthBoard(clock);
  const hub = options.hub ?? new FakeHub(options);
  const disk = options.disk ?? new FakeDisk();
  const gate = new SpeakerGate();
  const bell = new Bell(clock);
  const { metaServer } = options;
  const nodes = new FakeEdgeNodes({
    hub: hubFacts,
    edgecoreVersion: options.edgecoreVersion ?? options.version ?? '1.22.1',
    metaServer: metaServer === undefined ? undefined : 'http://127.0.0.1:10550',
  });
  const calls: string[] = [];
  const http: HttpCaller = {
    call: ({ body = '' }) => {
      calls.push(body);
      return Promise.resolve(metaServer?.(body) ?? { status: 500, body: '' });
    },
  };
  const memory = new CloudMemory(disk, '/state/cloud.json');
  const events = new Spool({ storage: { files: disk, appends: disk }, path: '/state/events.records' });
  await events.start();
  let id = 0;
  const newId = (): string => `id-${(id += 1)}`;
  const channels = new CloudChannels({ link: hub, http, gate, memory, events, clock, log, newId });
  const reporter = reporterOf(board, { nodes, channels, memory, gate, clock, log, bell }, options.chance);
  if (options.isStarting === true)
    board.set('EdgecoreReady', 'false', { reason: 'Starting', message: 'edgecore is starting' });
  else board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'edgecore answers' });
  board.set('DockerReady', 'true', { reason: 'Ready', message: 'dockerd answers' });
  gate.edgecoreAdopted();
  await reporter.start(new AbortController().signal);
  const breakEdgecore = (reason = 'CrashLoop'): void => {
    gate.edgecoreEnded();
    board.set('EdgecoreReady', 'false', { reason, message: 'edgecore ended 5 times in 60 s: exit 1' });
  };
  const mendEdgecore = async (): Promise<void> => {
    await gate.edgecoreStarts();
    board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'edgecore answers' });
  };
  const end = async (): Promise<void> => {
    await reporter.stop();
    await clock.advance(0);
    assert.equal(hub.sessions.size, 0, 'a session was left open');
    assert.equal(clock.pending(), 0, 'a timer was left');
  };
  return {
    bell,
    clock,
    log,
    board,
    hub,
    disk,
    gate,
    nodes,
    memory,
    events,
    reporter,
    calls,
    breakEdgecore,
    mendEdgecore,
    end,
  };
}
