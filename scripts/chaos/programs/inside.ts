// A chaos run, inside namespaces of its own. Arguments: one line of JSON (Settings). Prints one line of JSON for each thing
// that happened; the last one is the report.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Board, type BoardPlaces, clockFile } from '../board.ts';
import { edgecores, mainsOf, troubles } from '../faults.ts';
import { type Fault, faultText, plan, type Round } from '../plan.ts';
import { descriptorKinds, processes, sizeOf } from '../proc.ts';
import type { ChaosEvent, Report } from '../report.ts';
import { eventually } from '../wait.ts';
import { orphans, TwinWatch } from '../watcher.ts';

interface Settings {
  readonly seed: number;
  readonly minutes: number;
  readonly places: BoardPlaces;
}

const { seed, minutes, places } = JSON.parse(process.argv[2] ?? '{}') as Settings;
const containers = ['steady-1', 'steady-2'] as const;
/** Milliseconds that everything gets to be well again after a round. */
const recoverMs = 180_000;
/** Milliseconds until a fault must have been noticed: what goes through containerd is asked every 5 s and may take 20 s. */
const noticeMs = 90_000;
const endMs = Date.now() + minutes * 60_000;

function say(event: ChaosEvent): void {
  console.log(JSON.stringify(event));
}

/** Starts the stand-in for the cloud and orders the board to join it. */
async function startCloud(): Promise<number> {
  const child = spawn(
    process.execPath,
    [`${places.standins}/cloudhub.js`, '--address', '127.0.0.1', '--kubeedge', '1.12.1'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  child.stdout.on('data', (chunk) => {
    text = (text + String(chunk)).slice(-4_096);
  });
  const token = await eventually(
    'the stand-in for the cloud tells its token',
    20_000,
    () => /token (\S+)/.exec(text)?.[1],
  );
  child.stdout.removeAllListeners('data').resume();
  writeFileSync(
    `${places.home}/join.yaml`,
    `cloudcore: 127.0.0.1:10000\ntoken: ${token}\nnodeName: chaos\nruntime: docker\n`,
  );
  return child.pid ?? 0;
}

function writeConfig(): void {
  const lines = {
    'prep.enabled': false,
    'dockerd.binDir': places.binDir,
    'dockerd.dataRoot': `${places.home}/docker`,
    'dockerd.pingMs': 1_000,
    'dockerd.deepMs': 5_000,
    'containerd.enabled': places.hasOwnContainerd,
    'containerd.root': `${places.home}/containerd`,
    'edgecore.binary': `${places.standins}/edgecore`,
    'health.sampleMs': 5_000,
    'restart.floorMs': 200,
    'restart.ceilingMs': 2_000,
    'restart.stableMs': 1_000,
    'log.fileBytes': 262_144,
  };
  const text = Object.entries(lines).map(([key, value]) => `${key}: ${value}`);
  writeFileSync(`${places.home}/agent.yaml`, `${text.join('\n')}\n`);
  writeFileSync(clockFile, '+0\n');
}

async function startContainers(board: Board): Promise<void> {
  const root = `${places.home}/root`;
  mkdirSync(`${root}/bin`, { recursive: true });
  const archive = `cp /bin/busybox ${root}/bin/busybox && cp /bin/busybox ${root}/bin/sleep && tar -C ${root} -c .`;
  const bring = `${archive} | ${places.binDir}/docker -H unix:///run/docker.sock import - tiny:1`;
  execFileSync('/bin/sh', ['-c', `${bring} >>${places.log} 2>&1 && rm -r ${root}`]);
  for (const name of containers) {
    await board.docker(
      'run',
      '-d',
      '--restart',
      'always',
      '--name',
      name,
      '--network',
      'none',
      'tiny:1',
      '/bin/sleep',
      '1000000',
    );
  }
}

/** What is not well just now, in words; empty where everything is. */
async function complaints(board: Board): Promise<readonly string[]> {
  try {
    const status = await board.status();
    const found = status.conditions.filter(
      ({ type, status: is }) => (is === 'true') === type.endsWith('Pressure'),
    );
    if (!status.ready)
      return found.map(({ type, reason, message }) => `${type}: ${reason} (${message.slice(0, 160)})`);
    const up = await board.docker('ps', '--format', '{{.Names}}');
    const missing = containers.filter((name) => !up.split('\n').includes(name));
    const all = processes();
    const frozen = all.filter(({ state }) => state === 'T');
    // dockerd may call one running whose end it has not heard of.
    const pids = await board.docker('inspect', '--format', '{{.State.Pid}}', ...containers);
    const isGone = (pid: string): boolean => all.every((one) => String(one.pid) !== pid);
    const ghosts = pids.split('\n').filter((pid) => pid !== '0' && isGone(pid));
    return [
      ...missing.map((name) => `container ${name} does not run`),
      ...ghosts.map((pid) => `process ${pid} of a container is gone, and dockerd calls it running`),
      ...frozen.map(({ name, pid }) => `${name} ${pid} is stopped by a signal`),
    ];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function becomeWell(board: Board, withinMs: number): Promise<void> {
  let last: readonly string[] = [];
  const look = async (): Promise<true | undefined> => {
    last = await complaints(board);
    return last.length === 0 ? true : undefined;
  };
  await eventually('everything is well again', withinMs, look, () => last.join('; '));
}

/** Whether the agent died in this round: what it had not told before is lost with it. */
function losesEvents(faults: readonly Fault[]): boolean {
  return faults.length > 1 && faults.some(({ kind }) => kind === 'kill-agent' || kind === 'spoil-state');
}

async function doRound(board: Board, round: Round): Promise<readonly string[]> {
  const from = board.seen.length;
  const skipped = new Set<Fault>();
  const acts: Promise<void>[] = [];
  for (const fault of round.faults) {
    const act = async (): Promise<void> => {
      const why = await troubles[fault.kind].act(board, fault);
      if (why === undefined) return;
      skipped.add(fault);
      say({ event: 'skipped', fault: faultText(fault), why });
    };
    acts.push(act());
    await sleep(round.apartMs);
  }
  await Promise.all(acts);
  const judged = losesEvents(round.faults) ? [] : round.faults.filter((fault) => !skipped.has(fault));
  const missing = (): readonly string[] =>
    judged.flatMap((fault) => troubles[fault.kind].missing(board.seen.slice(from), fault));
  // Before the agent has noticed anything it calls everything well.
  await eventually('told', noticeMs, () => (missing().length === 0 ? true : undefined)).catch(
    () => undefined,
  );
  await becomeWell(board, recoverMs);
  await startsAnother(board);
  return missing();
}

/** What runs may run on where dockerd cannot start anything any more. The image has no name once those were ruined. */
async function startsAnother(board: Board): Promise<void> {
  const start = async (): Promise<string> => {
    const image = await board.docker('inspect', '--format', '{{.Image}}', containers[0]);
    return board.docker('run', '--rm', '--network', 'none', image, '/bin/busybox', 'echo', 'here');
  };
  await eventually('another container runs', 60_000, () => start().catch(() => undefined));
}

async function checkGround(board: Board, cloud: number): Promise<readonly string[]> {
  const ids = (await board.docker('ps', '-aq', '--no-trunc')).split('\n');
  const left = (): readonly string[] =>
    orphans({ roots: [process.pid, cloud, board.agentPid], containers: ids });
  // What is just being started or has just ended is no orphan.
  await eventually('no orphans', 10_000, () => (left().length === 0 ? true : undefined)).catch(
    () => undefined,
  );
  const twins = edgecores().length > 1 ? [`${edgecores().length} of edgecore`] : [];
  return [...twins, ...left().map((text) => `orphan: ${text}`)];
}

/** The small disk is gone with the namespace: what explains a broken promise is saved in time. */
async function keepEvidence(board: Board): Promise<void> {
  const put = (title: string, text: string): void => appendFileSync(places.log, `\n== ${title}\n${text}\n`);
  put(
    'events',
    board.seen
      .slice(-200)
      .map((event) => JSON.stringify(event))
      .join('\n'),
  );
  for (const name of ['dockerd', 'edgecore', 'agent']) {
    const text = await readFile(`${places.home}/log/${name}.log`, 'utf8').catch(String);
    put(`${name}.log`, text.split('\n').slice(-120).join('\n'));
  }
  put('docker ps', await board.docker('ps', '-a').catch(String));
  put('docker inspect', await board.docker('inspect', ...containers).catch(String));
}

async function run(): Promise<Report> {
  mkdirSync(places.home, { recursive: true });
  writeConfig();
  const cloud = await startCloud();
  const board = new Board(places);
  const twins = new TwinWatch();
  const violations: string[] = [];
  const sizes: Report['sizes'][number][] = [];
  const counts: Record<string, number> = {};
  let rounds = 0;
  const measure = (): void => {
    const size = sizeOf(board.agentPid);
    if (size !== undefined) sizes.push({ life: board.lives, round: rounds, ...size });
  };
  board.start();
  try {
    await eventually('dockerd is ready', 60_000, async () =>
      (await complaints(board)).some((text) => text.startsWith('Docker')) || mainsOf('dockerd').length === 0
        ? undefined
        : true,
    );
    await eventually('containers run', 60_000, () =>
      startContainers(board)
        .then(() => true)
        .catch(() => undefined),
    );
    await becomeWell(board, 60_000);
    say({ event: 'begun', afterMs: Date.now() - (endMs - minutes * 60_000) });
    twins.start();
    measure();
    for (const round of plan(seed)) {
      if (Date.now() >= endMs) break;
      await sleep(round.restMs);
      rounds += 1;
      const startedMs = Date.now();
      const wrong: string[] = [];
      try {
        wrong.push(...(await doRound(board, round)));
        wrong.push(...(await checkGround(board, cloud)));
      } catch (error) {
        wrong.push(error instanceof Error ? error.message : String(error));
      }
      measure();
      for (const { kind } of round.faults) counts[kind] = (counts[kind] ?? 0) + 1;
      violations.push(...wrong.map((text) => `round ${rounds}: ${text}`), ...twins.violations.splice(0));
      say({
        event: 'round',
        number: rounds,
        faults: round.faults.map(faultText),
        ms: Date.now() - startedMs,
        wrong,
      });
      if (wrong.length > 0) await keepEvidence(board);
    }
    violations.push(...growth(sizes, board.agentPid));
    const last = await complaints(board);
    violations.push(...last.map((text) => `not well at the end: ${text}`));
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  twins.stop();
  const left = await board.stop();
  violations.push(...left.map((text) => `left after the shutdown: ${text}`));
  return {
    rounds,
    counts,
    violations,
    sizes,
    looks: twins.looks,
    lives: board.lives,
    events: board.seen.length,
  };
}

/** Sizes are compared with the first one of the run: all were taken while everything was well. */
function growth(sizes: Report['sizes'], pid: number): readonly string[] {
  const [first, ...others] = sizes;
  const last = others.at(-1);
  if (first === undefined || last === undefined) return [];
  const wrong: string[] = [];
  if (last.descriptors > first.descriptors + 16)
    wrong.push(
      `descriptors grew from ${first.descriptors} to ${last.descriptors}: ${JSON.stringify(descriptorKinds(pid))}`,
    );
  if (last.bytes > first.bytes * 1.75)
    wrong.push(`memory grew from ${megabytes(first.bytes)} to ${megabytes(last.bytes)} MiB`);
  return wrong;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}

say({ event: 'report', report: await run() });
process.exit(0);
