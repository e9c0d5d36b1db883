import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Benchmark } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { pause } from '../launch.ts';
import { activityOf, memoryOf } from '../processes.ts';
import type { Goal, Measurement } from '../result.ts';
import { Series } from '../series.ts';
import type { Contender } from '../stage.ts';
import { agentSubject } from '../subjects/agent.ts';
import { logFileBytes } from '../subjects/log-limits.ts';
import { runit } from '../subjects/runit.ts';
import { s6 } from '../subjects/s6.ts';
import type { Running } from '../subjects/subject.ts';

const lineBytes = 100;
/** Times that the file is printed while costs are taken. The first time before costs a runtime its compilation, and is kept as a whole. */
const floods = 4;

interface Figures {
  readonly perCpu: Series;
  readonly perSecond: Series;
  readonly memory: Series;
  readonly lost: Series;
}

/** What it costs to write down what a unit prints. */
export const logs: Benchmark = {
  name: 'logs',
  groups: ['logs'],
  wider: ['supervise'],
  about: `a unit prints a file of ${lineBytes}-byte lines into the supervisor's pipe ${floods + 1} times; the first time warms everybody up and shows whether lines are lost; of the other ${floods}, MB per CPU-second of the processes that capture it and MB per second until the last byte is in the log; rotation at ${logFileBytes / 1e6} MB (pm2 has none), time stamps as each writes them (supervisord has none)`,
  run: async (context) => {
    const bytes = (context.isQuick ? 10 : 30) * 1_000_000;
    const flood = path.join(context.stage.folder(), 'flood.txt');
    writeFileSync(flood, `${'x'.repeat(lineBytes - 1)}\n`.repeat(bytes / lineBytes));
    const figures = {
      perCpu: new Series(),
      perSecond: new Series(),
      memory: new Series(),
      lost: new Series(),
    };
    const subjects = [
      agentSubject(context.agent),
      ...context.peers.filter(({ isCapturing }) => isCapturing),
      runit({ isCapturing: true }),
      s6({ isCapturing: true }),
    ];
    const rounds = context.isQuick ? 1 : 5;
    for (let round = 0; round < rounds; round++) {
      for (const subject of subjects) {
        context.say(`logs ${round + 1}/${rounds}: ${subject.name}`);
        const contender = await context.stage.put(subject, context.stage.units(['unit'], flood));
        await sample(contender, bytes, figures);
        await context.stage.remove(contender);
      }
    }
    return rows(figures, bytes);
  },
};

async function sample({ name, running, units }: Contender, bytes: number, figures: Figures): Promise<void> {
  await units.flood('unit');
  await drained(running);
  figures.lost.add(name, bytes / lineBytes - capturedLines(running));
  const before = activityOf(running.supervisors()).cpuNs;
  const startedMs = performance.now();
  for (let turn = 0; turn < floods; turn++) await units.flood('unit');
  const drainedMs = await drained(running);
  const cpuSeconds = (activityOf(running.supervisors()).cpuNs - before) / 1e9;
  const megabytes = (floods * bytes) / 1e6;
  figures.perCpu.add(name, megabytes / cpuSeconds);
  figures.perSecond.add(name, megabytes / ((drainedMs - startedMs) / 1000));
  figures.memory.add(name, memoryOf(running.supervisors()).rss / 1024 / 1024);
}

/** Resolves with the moment of the last growth, once the log has not grown for a while. */
async function drained(running: Running): Promise<number> {
  let size = -1;
  let grownAtMs = performance.now();
  while (performance.now() - grownAtMs < 500) {
    const now = sizeOf(logFiles(running));
    if (now !== size) {
      size = now;
      grownAtMs = performance.now();
    }
    await pause(10);
  }
  return grownAtMs;
}

/** One that is renamed in this moment does not count. */
function sizeOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

function logFiles(running: Running): readonly string[] {
  const dir = running.logDir ?? '';
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function capturedLines(running: Running): number {
  const line = 'x'.repeat(lineBytes - 1);
  return logFiles(running).reduce(
    (sum, file) => sum + readFileSync(file, 'latin1').split(line).length - 1,
    0,
  );
}

function rows(figures: Figures, bytes: number): readonly Measurement[] {
  const peers = ['pm2', 'supervisord', 'svlogd', 's6-log'];
  const ahead: Goal = { of: 'ratio', is: '>=', bound: 1 };
  const shared = { group: 'logs', subject: 'agent' };
  return [
    ...compare(figures.perCpu, { ...shared, name: 'captured per CPU-second', unit: 'MB/s' }, peers, {
      // It neither stamps output nor looks for secrets in it.
      supervisord: ahead,
      pm2: ahead,
    }),
    ...compare(figures.perSecond, { ...shared, name: 'captured per second', unit: 'MB/s' }, peers),
    ...compare(
      figures.memory,
      { ...shared, name: `resident after ${((floods + 1) * bytes) / 1e6} MB`, unit: 'MB' },
      peers,
    ),
    ...compare(figures.lost, { ...shared, name: 'lines lost', unit: 'lines' }, peers, {
      pm2: { of: 'value', is: '<=', bound: 0 },
    }),
  ];
}
