import { defaultConfig } from '../../../agent/config/default-config.ts';
import { restartPolicy } from '../../../agent/units/create-supervisor.ts';
import { DeclaredUnit } from '../../../agent/units/declared-unit.ts';
import { Supervisor } from '../../../agent/units/supervisor.ts';
import { FakeProcesses } from '../../../test/fakes/fake-processes.ts';
import { FakePrograms, FakeSockets } from '../../../test/fakes/fake-programs.ts';
import { FakeUnitLogs } from '../../../test/fakes/fake-unit-logs.ts';
import { silent } from '../../fleet/board.ts';
import { buildStage, type FleetStage } from '../../fleet/stage.ts';
import type { Benchmark } from '../benchmark.ts';
import { heapBytes } from '../heap.ts';
import type { Goal, Measurement } from '../result.ts';
import { summarize } from '../statistics.ts';

const hourMs = 3_600_000;
const mb = 1024 * 1024;
const program = '/bin/unit';

/** Whether a day leaves anything behind. */
export const day: Benchmark = {
  name: 'day',
  groups: ['day'],
  wider: ['growth'],
  isOnDemand: true,
  about:
    "heap behind a full collection at every hour of the third day of a fast clock beside those of the second, with 1, 5 and 20 units: the agent's real supervision, conditions, ledger and reports with their real links, against stand-ins of processes, broker and cloud, whose heap is counted too; every hour one unit is killed and the network is lost for a minute",
  run: async ({ isQuick, say }) => {
    const rows: Measurement[] = [];
    for (const units of isQuick ? [1] : [1, 5, 20]) rows.push(await afterADay(units, isQuick ? 2 : 24, say));
    return rows;
  },
};

/** `part` is a third of the time, in hours. */
async function afterADay(units: number, part: number, say: (text: string) => void): Promise<Measurement> {
  const stage = await buildStage(1);
  try {
    const live = await startBoard(stage, units);
    const heaps: number[] = [];
    for (let hour = 1; hour <= 3 * part; hour += 1) {
      say(`day: ${units} units, hour ${hour} of ${3 * part}`);
      await live(hour);
      heaps.push(heapBytes() / mb);
    }
    // The first part is spent on what fills up to its bound and on code that V8 compiles.
    const [settled, last] = [heaps.slice(part, 2 * part), heaps.slice(2 * part)];
    const goal: Goal = { of: 'ratio', is: '<=', bound: 1.02 };
    const reference = { name: `${part} h before`, summary: summarize(settled) };
    const name = `heap after ${3 * part} h, ${units} ${units === 1 ? 'unit' : 'units'}`;
    return { group: 'day', name, unit: 'MB', summary: summarize(last), reference, goal };
  } finally {
    await stage.end();
  }
}

/** Starts a board with so many units and returns what lets it live through one hour. */
async function startBoard({ boards, clock, traffic, cloud }: FleetStage, count: number) {
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
    cloud.received.length = 0;
    processes.all.splice(0, processes.all.length, ...processes.living);
  };
}
