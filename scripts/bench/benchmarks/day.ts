import { defaultConfig } from '../../../agent/config/default-config.ts';
import { LinkError } from '../../../agent/core/link.ts';
import { nextTurn } from '../../../agent/host/next-turn.ts';
import { restartPolicy } from '../../../agent/units/create-supervisor.ts';
import { DeclaredUnit } from '../../../agent/units/declared-unit.ts';
import { Supervisor } from '../../../agent/units/supervisor.ts';
import { turns } from '../../../test/fakes/fake-clock.ts';
import { FakeProcesses } from '../../../test/fakes/fake-processes.ts';
import { FakePrograms, FakeSockets } from '../../../test/fakes/fake-programs.ts';
import { FakeUnitLogs } from '../../../test/fakes/fake-unit-logs.ts';
import { SimulatedBoard, silent } from '../../fleet/board.ts';
import { buildStage, type FleetStage } from '../../fleet/stage.ts';
import { VirtualClock } from '../../fleet/virtual-clock.ts';
import type { Benchmark } from '../benchmark.ts';
import { heapBytes } from '../heap.ts';
import type { Goal, Measurement } from '../result.ts';
import { summarize } from '../statistics.ts';

const hourMs = 3_600_000;
const mb = 1024 * 1024;
const program = '/bin/unit';

type Say = (text: string) => void;

/** Whether a day leaves anything behind. */
export const day: Benchmark = {
  name: 'day',
  groups: ['day'],
  wider: ['growth'],
  isOnDemand: true,
  about:
    "heap behind a full collection at every hour of the third day of a fast clock beside those of the second, with 1, 5 and 20 units and for a board that never finds its cloud: the agent's real supervision, conditions, ledger and reports with their real links, against stand-ins of processes and of edgecore's event bus, whose heap is counted too, Debian's mosquitto and a stand-in of the cloud; every hour one unit is killed and the network is lost for a minute",
  run: async ({ isQuick, say }) => {
    const hours = isQuick ? 2 : 24;
    const rows: Measurement[] = [];
    for (const units of isQuick ? [1] : [1, 5, 20]) rows.push(await afterADay(units, hours, say));
    return [...rows, await withoutCloud(hours, say)];
  },
};

/** A board with its cloud; a third of the time takes so many hours. */
async function afterADay(units: number, hours: number, say: Say): Promise<Measurement> {
  const stage = await buildStage(1);
  try {
    const live = await startBoard(stage, units);
    return await thirds(`${units} ${units === 1 ? 'unit' : 'units'}`, hours, { say, live });
  } finally {
    await stage.end();
  }
}

/** A board that never finds its cloud: every try is refused at once. */
async function withoutCloud(hours: number, say: Say): Promise<Measurement> {
  const clock = new VirtualClock(turns);
  const end = { reason: 'Refused', message: 'nobody listens', isPermanent: false };
  const nobody = { open: async () => Promise.reject(new LinkError(end)) };
  const board = new SimulatedBoard(0, {
    clock,
    settings: defaultConfig(),
    broker: nobody,
    brokerUrl: 'tcp://127.0.0.1:1',
    hub: nobody,
    hubPort: 1,
    tls: { caFile: '/ca', certFile: '/cert', keyFile: '/key' },
  });
  await board.start(new AbortController().signal);
  const live = async (hour: number): Promise<void> => {
    await clock.advance(hourMs);
    board.restart();
    board.set('NetworkReady', hour % 2 === 0);
  };
  try {
    return await thirds('without its cloud', hours, { say, live });
  } finally {
    await board.report.stop();
  }
}

interface Life {
  readonly say: Say;
  /** Lets it live through one hour. */
  readonly live: (hour: number) => Promise<void>;
}

/** The first third is spent on what fills up to its bound and on code that V8 compiles. */
async function thirds(what: string, hours: number, { say, live }: Life): Promise<Measurement> {
  const heaps: number[] = [];
  for (let hour = 1; hour <= 3 * hours; hour += 1) {
    say(`day: ${what}, hour ${hour} of ${3 * hours}`);
    await live(hour);
    heaps.push(heapBytes() / mb);
  }
  const goal: Goal = { of: 'ratio', is: '<=', bound: 1.02 };
  const reference = { name: `${hours} h before`, summary: summarize(heaps.slice(hours, 2 * hours)) };
  const summary = summarize(heaps.slice(2 * hours));
  return { group: 'day', name: `heap after ${3 * hours} h, ${what}`, unit: 'MB', summary, reference, goal };
}

/** Starts a board with so many units and returns what lets it live through one hour. */
async function startBoard({ boards, clock, traffic }: FleetStage, count: number) {
  const board = boards[0]!;
  const processes = new FakeProcesses();
  const programs = new FakePrograms();
  programs.put(program);
  const names = Array.from({ length: count }, (_, index) => `unit${index}`);
  const options = {
    restart: restartPolicy(defaultConfig()),
    programs,
    sockets: new FakeSockets(),
    env: () => ({}),
    isInRootGroups: false,
  };
  const usual = {
    argv: [program],
    env: {},
    cwd: '/',
    needs: [],
    stopMs: 5_000,
    startMs: 5_000,
    oomScoreAdj: 0,
  };
  const specs = names.map((name) => new DeclaredUnit({ ...usual, name }, options));
  const supervisor = new Supervisor(specs, {
    clock,
    random: Math.random,
    nextTurn,
    processes,
    programs,
    files: board.disk,
    logs: new FakeUnitLogs(),
    board: board.health,
    log: silent,
    recordDir: '/state/units',
  });
  const over = new AbortController();
  await board.start(over.signal);
  await supervisor.start(over.signal);
  return async (hour: number): Promise<void> => {
    await clock.advance(hourMs / 2);
    processes.end(processes.living[hour % count]!.pid, { how: 'signalled', signal: 'SIGKILL' });
    board.restart();
    board.set('NetworkReady', false);
    await clock.advance(60_000);
    board.set('NetworkReady', true);
    await clock.advance(hourMs / 2 - 60_000);
    // What counts and what stands in must not be what grows.
    traffic.twins.atMs.length = 0;
    traffic.patches.atMs.length = 0;
    processes.all.splice(0, processes.all.length, ...processes.living);
  };
}
