import { performance } from 'node:perf_hooks';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { pause } from '../launch.ts';
import { type Activity, activityBetween, activityOf, childrenOf, memoryOf } from '../processes.ts';
import type { Goal, Measurement } from '../result.ts';
import { Series } from '../series.ts';
import type { Contender } from '../stage.ts';
import { agentSubject } from '../subjects/agent.ts';
import type { Subject } from '../subjects/subject.ts';

interface Figures {
  readonly early: Series;
  readonly rss: Series;
  readonly pss: Series;
  readonly cpu: Series;
  readonly switches: Series;
  readonly written: Series;
  readonly forks: Series;
}

const mb = 1024 * 1024;

/** What everybody costs while nothing happens. */
export const steady: Benchmark = {
  name: 'steady',
  groups: ['memory', 'idle'],
  wider: ['supervise'],
  about:
    'all supervisors idle side by side with 1, 5 or 20 sleeping units: resident memory 10 s after the start and at the end of a window that begins a minute after it; CPU time (schedstat of all threads), context switches, bytes written to storage and child processes per window; units themselves are not counted',
  run: async (context) => {
    const earlyMs = context.isQuick ? 5_000 : 10_000;
    // Idle begins a minute after the start: until then V8 collects what the start left behind, once.
    const settleMs = context.isQuick ? 0 : 50_000;
    const windowMs = context.isQuick ? 10_000 : 50_000;
    const contenders = await startAll(context);
    const figures = emptyFigures();
    context.say(
      `steady: waiting ${(earlyMs + settleMs) / 1000} s for ${contenders.length} supervisors to settle`,
    );
    await pause(earlyMs);
    for (const { name, running } of contenders) {
      figures.early.add(name, memoryOf(running.supervisors()).rss / mb);
    }
    await pause(settleMs);
    await observe(context, contenders, windowMs, figures);
    return rows(figures);
  },
};

async function startAll(context: Context): Promise<readonly Contender[]> {
  const contenders: Contender[] = [];
  const add = async (subject: Subject, size: number): Promise<void> => {
    context.say(`steady: starting ${subject.name} with ${size} units`);
    const names = Array.from({ length: size }, (_, index) => `unit${index}`);
    const contender = await context.stage.put(subject, context.stage.units(names));
    contenders.push({ ...contender, name: label(subject.name, size) });
  };
  const agent = agentSubject(context.agent);
  const repeats = context.isQuick ? 1 : 3;
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const subject of [agent, ...context.peers]) await add(subject, subject.name === 'bare node' ? 0 : 1);
  }
  await add(agent, 0);
  await add(agent, 5);
  for (const subject of [agent, ...context.peers]) if (subject.name !== 'bare node') await add(subject, 20);
  return contenders;
}

function label(name: string, size: number): string {
  return name === 'bare node' || size === 1 ? name : `${name} (${size} units)`;
}

async function observe(
  context: Context,
  contenders: readonly Contender[],
  windowMs: number,
  figures: Figures,
): Promise<void> {
  const startedMs = performance.now();
  const before = contenders.map(({ running }) => activityOf(running.supervisors()));
  const children = contenders.map(({ running }) => new Set(childrenOf(running.supervisors())));
  const known = children.map((set) => set.size);
  while (performance.now() - startedMs < windowMs) {
    context.say(`steady: watching, ${Math.round((windowMs - performance.now() + startedMs) / 1000)} s left`);
    await pause(250);
    for (const [index, { running }] of contenders.entries()) {
      for (const child of childrenOf(running.supervisors())) children[index]!.add(child);
    }
  }
  const seconds = (performance.now() - startedMs) / 1000;
  for (const [index, { name, running }] of contenders.entries()) {
    const pids = running.supervisors();
    const activity = activityBetween(before[index]!, activityOf(pids));
    record(figures, name, { activity, seconds, seenChildren: children[index]!.size - known[index]! });
    const { rss, pss } = memoryOf(pids);
    figures.rss.add(name, rss / mb);
    figures.pss.add(name, pss / mb);
  }
}

function record(
  figures: Figures,
  name: string,
  seen: { readonly activity: Activity; readonly seconds: number; readonly seenChildren: number },
): void {
  const { activity, seconds, seenChildren } = seen;
  figures.cpu.add(name, activity.cpuNs / seconds / 1e7);
  figures.switches.add(name, activity.switches / seconds);
  figures.written.add(name, ((activity.written / seconds) * 3600) / 1e6);
  // A child too short-lived to be seen still leaves its page faults with the parent that waited for it.
  const forks = Math.max(seenChildren, activity.childFaults > 0 ? 1 : 0);
  figures.forks.add(name, (forks / seconds) * 60);
}

function emptyFigures(): Figures {
  return {
    early: new Series(),
    rss: new Series(),
    pss: new Series(),
    cpu: new Series(),
    switches: new Series(),
    written: new Series(),
    forks: new Series(),
  };
}

function rows(figures: Figures): readonly Measurement[] {
  const peers = ['bare node', 'bare node:http', 'pm2', 'supervisord', 'monit', 'runit', 's6'];
  const memory = { group: 'memory', unit: 'MB', subject: 'agent' };
  const idle = { group: 'idle', subject: 'agent' };
  const below: Goal = { of: 'ratio', is: '<', bound: 1 };
  const memoryGoals: Record<string, Goal> = {
    'bare node': { of: 'ratio', is: '<=', bound: 1.2 },
    pm2: below,
  };
  const cpuGoals: Record<string, Goal> = {
    'bare node': { of: 'value', is: '<=', bound: 0.1 },
    pm2: below,
    supervisord: below,
  };
  const noForks: Record<string, Goal> = { 'bare node': { of: 'value', is: '<=', bound: 0 } };
  const fewWrites: Record<string, Goal> = { 'bare node': { of: 'value', is: '<', bound: 1 } };
  return [
    ...compare(figures.rss, { ...memory, name: 'resident (RSS), idle' }, peers, memoryGoals),
    ...compare(figures.pss, { ...memory, name: 'proportional (PSS), idle' }, [
      'bare node',
      'pm2',
      'supervisord',
    ]),
    ...compare(figures.early, { ...memory, name: 'resident, 10 s after the start' }, ['bare node', 'pm2']),
    ...scaled(figures.rss),
    ...compare(figures.cpu, { ...idle, name: 'CPU of one core', unit: '%' }, peers, cpuGoals),
    ...compare(figures.switches, { ...idle, name: 'context switches', unit: '1/s' }, peers),
    ...compare(
      figures.forks,
      { ...idle, name: 'child processes', unit: '1/min' },
      peers.slice(0, 4),
      noForks,
    ),
    ...compare(
      figures.written,
      { ...idle, name: 'written to storage', unit: 'MB/h' },
      peers.slice(0, 4),
      fewWrites,
    ),
    ...scaledCpu(figures.cpu),
  ];
}

function scaled(rss: Series): readonly Measurement[] {
  const shared = { group: 'memory', unit: 'MB' };
  return [
    ...[0, 5].flatMap((size) =>
      compare(rss, { ...shared, name: `resident, ${size} units`, subject: `agent (${size} units)` }, [
        'agent',
      ]),
    ),
    ...compare(rss, { ...shared, name: 'resident, 20 units', subject: 'agent (20 units)' }, [
      'agent',
      'pm2 (20 units)',
      'supervisord (20 units)',
      'runit (20 units)',
      's6 (20 units)',
    ]),
  ];
}

function scaledCpu(cpu: Series): readonly Measurement[] {
  return compare(
    cpu,
    { group: 'idle', name: 'CPU of one core, 20 units', unit: '%', subject: 'agent (20 units)' },
    ['pm2 (20 units)', 'supervisord (20 units)', 'monit (20 units)', 'runit (20 units)'],
  );
}
