// Tries the supervision on a real dockerd, inside mount, network and pid namespaces of its own: argv[2] home, argv[3]
// directory of dockerd, argv[4] the stand-in agent. Prints one line of JSON for each trial.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

type Event = Readonly<Record<string, unknown>>;
const [home = '', binDir = '', agentProgram = ''] = process.argv.slice(2);
const dataRoot = `${home}/docker`;

/** One life of the stand-in agent and what it has said so far. */
class Agent {
  readonly events: Event[] = [];
  readonly #child: ChildProcess;
  readonly gone: Promise<unknown>;

  constructor() {
    this.#child = spawn(process.execPath, [agentProgram, home, binDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.gone = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) =>
        this.events.push(JSON.parse(line) as Event),
      );
    }
  }

  /** Asks for a change of dockerd and waits for its verdict. */
  async change(line: string): Promise<Event> {
    const from = this.events.length;
    this.#child.stdin?.write(`${line}\n`);
    return this.sees((event) => event['event'] === 'answer', from, 180_000);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until an event after number `from` fits. */
  async sees(fits: (event: Event) => boolean, from = 0, withinMs = 60_000): Promise<Event> {
    return eventually(
      () => this.events.slice(from).find(fits),
      withinMs,
      () => JSON.stringify(this.events.slice(from), null, 1),
    );
  }
}

async function eventually<T>(look: () => T | undefined, withinMs: number, tell: () => string): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`not within ${withinMs} ms: ${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function docker(...args: string[]): string {
  return execFileSync(`${binDir}/docker`, ['-H', 'unix:///run/docker.sock', ...args], {
    encoding: 'utf8',
  }).trim();
}

/** Starts a container that sleeps, and returns its id. */
function runSleep(name: string, ...flags: readonly string[]): string {
  return docker('run', '-d', '--name', name, '--network', 'none', ...flags, image, '/bin/sleep', '100000');
}

function pidsOf(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.includes(`(${name})`) && !/\) [ZX] /.test(stat);
      } catch {
        return false;
      }
    });
}

const isReady = (event: Event): boolean => event['event'] === 'unit.changed' && event['to'] === 'ready';

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

async function trial(name: string, act: () => Promise<void>): Promise<void> {
  const startedMs = Date.now();
  try {
    await act();
    console.log(JSON.stringify({ trial: name, ok: true, ms: Date.now() - startedMs }));
  } catch (error) {
    console.log(
      JSON.stringify({ trial: name, ok: false, ms: Date.now() - startedMs, detail: String(error) }),
    );
  }
}

function containerRuns(): boolean {
  return docker('ps', '--format', '{{.Names}} {{.Status}}').startsWith('sleeper Up');
}

/** Kills dockerd while the agent looks away, changes the ground under it, and waits until it is ready again. */
async function whileDown(act: () => void, withinMs: number): Promise<readonly Event[]> {
  const from = agent.events.length;
  agent.kill('SIGSTOP');
  for (const pid of pidsOf('dockerd')) process.kill(pid, 'SIGKILL');
  await eventually(
    () => (pidsOf('containerd').length === 0 ? true : undefined),
    10_000,
    () => 'containerd stays',
  );
  act();
  agent.kill('SIGCONT');
  await agent.sees(isReady, from, withinMs);
  return agent.events.slice(from);
}

/** Leaves a socket file that nobody listens on. */
function deadSocket(file: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  mkdirSync(path.dirname(file), { recursive: true });
  spawnSync(process.execPath, ['-e', script]);
}

let agent = new Agent();
/** Id of the image of all containers: one of the trials takes the names away. */
let image = '';

await trial('dockerd becomes ready and runs a container', async () => {
  await agent.sees(isReady);
  mkdirSync(`${home}/root/bin`, { recursive: true });
  for (const name of ['busybox', 'sleep']) copyFileSync('/bin/busybox', `${home}/root/bin/${name}`);
  execFileSync('tar', ['-C', `${home}/root`, '-cf', `${home}/root.tar`, '.']);
  image = docker('import', `${home}/root.tar`, 'tiny:1');
  runSleep('sleeper', '--restart', 'always');
  expect(containerRuns(), 'the container does not run');
});

await trial('a killed agent is followed by one that takes dockerd over', async () => {
  const [before] = pidsOf('dockerd');
  agent.kill('SIGKILL');
  await agent.gone;
  agent = new Agent();
  const adopted = await agent.sees((event) => event['event'] === 'unit.adopted');
  await agent.sees(isReady);
  expect(adopted['pid'] === before && pidsOf('dockerd').length === 1, 'another dockerd runs');
  expect(containerRuns(), 'the container does not run');
});

await trial(
  'the death of an adopted dockerd is noticed, and its successor finds the container alive',
  async () => {
    const from = agent.events.length;
    const killedMs = Date.now();
    for (const pid of pidsOf('dockerd')) process.kill(pid, 'SIGKILL');
    await agent.sees((event) => event['event'] === 'unit.ended', from);
    const noticedMs = Date.now() - killedMs;
    expect(noticedMs < 300, `noticed after ${noticedMs} ms`);
    await agent.sees(isReady, from);
    expect(containerRuns(), 'the container does not run');
    expect(
      pidsOf('dockerd').length === 1 && pidsOf('containerd').length === 1,
      'more than one dockerd or containerd',
    );
  },
);

await trial('a dockerd that a signal had stopped goes on without being killed', async () => {
  const from = agent.events.length;
  const [before] = pidsOf('dockerd');
  for (const pid of pidsOf('dockerd')) process.kill(pid, 'SIGSTOP');
  await agent.sees((event) => event['event'] === 'unit.resumed', from, 90_000);
  await agent.sees(isReady, from);
  expect(pidsOf('dockerd')[0] === before, 'dockerd was replaced');
});

await trial('a hanging containerd is set going again, and nobody kills dockerd for it', async () => {
  const from = agent.events.length;
  const [before] = pidsOf('dockerd');
  for (const pid of pidsOf('containerd')) process.kill(pid, 'SIGSTOP');
  await agent.sees((event) => event['event'] === 'unit.aided', from, 120_000);
  await agent.sees(isReady, from);
  await eventually(
    () => (containerRuns() ? true : undefined),
    60_000,
    () => 'docker ps fails',
  );
  expect(pidsOf('dockerd')[0] === before, 'dockerd was replaced');
  expect(
    !agent.events.slice(from).some((event) => event['event'] === 'unit.signalled'),
    'dockerd got a signal',
  );
});

/** The set of this machine's own programs as Docker's archive has it, with another program in the place of some. */
function dockerArchive(name: string, instead: Readonly<Record<string, string>> = {}): string {
  const folder = `${home}/${name}`;
  mkdirSync(`${folder}/docker`, { recursive: true });
  for (const program of ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'])
    copyFileSync(`${binDir}/${instead[program] ?? program}`, `${folder}/docker/${program}`);
  execFileSync('tar', ['-C', folder, '-czf', `${folder}.tgz`, 'docker']);
  return `${folder}.tgz`;
}

function programOf(name: string): string {
  const [pid = 0, ...more] = pidsOf(name);
  expect(more.length === 0, `${more.length + 1} of ${name} run`);
  return readlinkSync(`/proc/${pid}/exe`);
}

const shimOf = (): number => pidsOf('containerd-shim')[0] ?? 0;

await trial(
  'dockerd is replaced from a file while a container runs, and the container lives on',
  async () => {
    const [before, shim, sleeper] = [pidsOf('dockerd')[0], shimOf(), pidsOf('sleep')[0]];
    copyFileSync(`${binDir}/dockerd`, `${home}/dockerd-from-file`);
    const answer = await agent.change(`${home}/dockerd-from-file`);
    expect(answer['ok'] === true, JSON.stringify(answer));
    expect(programOf('dockerd').startsWith(`${home}/parts/dockerd/`), programOf('dockerd'));
    expect(pidsOf('dockerd')[0] !== before, 'the old dockerd still runs');
    expect(shimOf() === shim && pidsOf('sleep')[0] === sleeper, 'the container was started again');
    expect(containerRuns(), 'the container does not run');
  },
);

await trial('a whole set is put in, and the container of the set before is still spoken with', async () => {
  const sleeper = pidsOf('sleep')[0];
  const answer = await agent.change(dockerArchive('docker-set'));
  expect(answer['ok'] === true, JSON.stringify(answer));
  for (const name of ['dockerd', 'containerd'])
    expect(programOf(name).startsWith(`${home}/parts/dockerd/`), programOf(name));
  expect(pidsOf('sleep')[0] === sleeper, 'the container was started again');
  expect(docker('exec', 'sleeper', '/bin/busybox', 'echo', 'here') === 'here', 'exec fails');
});

await trial('a set that does not come up is taken back, and the container lives on', async () => {
  const sleeper = pidsOf('sleep')[0];
  const before = programOf('dockerd');
  const answer = await agent.change(dockerArchive('docker-bad', { containerd: 'runc' }));
  expect(answer['ok'] === false, JSON.stringify(answer));
  const from = agent.events.findLastIndex((event) => event['event'] === 'part.taken-back');
  await agent.sees(isReady, from);
  expect(programOf('dockerd') === before, programOf('dockerd'));
  expect(pidsOf('sleep')[0] === sleeper && containerRuns(), 'the container was started again');
});

await trial('a rollback goes back to the set before, and the container lives on', async () => {
  const sleeper = pidsOf('sleep')[0];
  const before = programOf('dockerd');
  const answer = await agent.change('rollback');
  expect(answer['ok'] === true, JSON.stringify(answer));
  expect(programOf('dockerd') !== before, 'the same dockerd runs');
  expect(pidsOf('sleep')[0] === sleeper && containerRuns(), 'the container was started again');
});

/** A new container starts, and the one that should always run does. */
async function startsContainers(): Promise<void> {
  docker('run', '--rm', '--network', 'none', image, '/bin/busybox', 'true');
  await eventually(
    () => (containerRuns() ? true : undefined),
    60_000,
    () => docker('ps', '-a'),
  );
}

const ruins: readonly (readonly [string, string, 'empty' | 'garbage'])[] = [
  ['image-names', `${dataRoot}/image/overlay2/repositories.json`, 'empty'],
  ['networks', `${dataRoot}/network/files/local-kv.db`, 'garbage'],
  ['volumes', `${dataRoot}/volumes/metadata.db`, 'garbage'],
  ['containerd-metadata', `${dataRoot}/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db`, 'garbage'],
  ['build-cache', `${dataRoot}/buildkit/cache.db`, 'garbage'],
];
for (const [name, file, how] of ruins) {
  await trial(`ruined ${name} are set aside once and dockerd is ready again`, async () => {
    const ruin = (): void =>
      how === 'empty' ? truncateSync(file, 0) : writeFileSync(file, Buffer.alloc(32_768, 0x5a));
    const events = await whileDown(ruin, 120_000);
    const repairs = events.filter((event) => event['event'] === 'dockerd.repaired');
    const ends = events.filter((event) => event['event'] === 'unit.ended').map((event) => event['lines']);
    expect(
      repairs.length === 1 && repairs[0]?.['name'] === name,
      `repairs: ${JSON.stringify(repairs)} after ${JSON.stringify(ends, null, 1)}`,
    );
    await startsContainers();
  });
}

await trial('networks that were lost without a word are made again', async () => {
  const events = await whileDown(() => truncateSync(`${dataRoot}/network/files/local-kv.db`, 0), 60_000);
  const names = events.map((event) => event['event']);
  expect(names.includes('dockerd.networkless-ended'), names.join(', '));
  await startsContainers();
});

await trial('a container whose record is ruined is ended, told of and can be made again', async () => {
  const make = (): string => runSleep('doomed');
  const id = make();
  const events = await whileDown(
    () => truncateSync(`${dataRoot}/containers/${id}/config.v2.json`, 40),
    60_000,
  );
  const repaired = events.find((event) => event['event'] === 'dockerd.repaired');
  expect(repaired?.['name'] === 'container-record', JSON.stringify(events.map((event) => event['event'])));
  expect(pidsOf('sleep').length === 1, `${pidsOf('sleep').length} containers run`);
  make();
  docker('rm', '-f', 'doomed');
});

await trial('a container whose end nobody told dockerd is started again', async () => {
  const before = pidsOf('sleep')[0];
  for (const name of ['containerd', 'containerd-shim'])
    for (const pid of pidsOf(name)) process.kill(pid, 'SIGKILL');
  await agent.sees((event) => event['event'] === 'dockerd.container-revived', agent.events.length, 180_000);
  expect(containerRuns() && pidsOf('sleep')[0] !== before, docker('ps', '-a'));
});

await trial('one that gets half a minute to stop does, too, and nobody else is killed for it', async () => {
  runSleep('patient', '--restart', 'unless-stopped', '--stop-timeout', '30');
  const from = agent.events.length;
  for (const name of ['containerd', 'containerd-shim'])
    for (const pid of pidsOf(name)) process.kill(pid, 'SIGKILL');
  const isRevived = (event: Event): boolean =>
    event['event'] === 'dockerd.container-revived' && event['name'] === 'patient';
  await agent.sees(isRevived, from, 180_000);
  const isUp = (): true | undefined =>
    pidsOf('sleep').includes(Number(docker('inspect', '--format', '{{.State.Pid}}', 'patient'))) || undefined;
  await eventually(isUp, 1_000, () => docker('ps', '-a'));
  docker('rm', '-f', 'patient');
});

await trial('a restart that failed is tried again', async () => {
  const wanted = `${home}/wanted`;
  mkdirSync(wanted);
  const mount = `type=bind,source=${wanted},target=/mnt`;
  runSleep('needy', '--restart', 'always', '--mount', mount);
  const pid = (): number => Number(docker('inspect', '--format', '{{.State.Pid}}', 'needy'));
  rmdirSync(wanted);
  const from = agent.events.length;
  process.kill(pid(), 'SIGKILL');
  await agent.sees((event) => event['event'] === 'dockerd.container-not-revived', from, 120_000);
  mkdirSync(wanted);
  await agent.sees((event) => event['event'] === 'dockerd.container-revived', from, 120_000);
  expect(pid() > 0, docker('ps', '-a'));
  docker('rm', '-f', 'needy');
});

await trial('stale pid files and a dead containerd socket do not delay the next start', async () => {
  const startedMs = Date.now();
  await whileDown(() => {
    writeFileSync('/run/docker.pid', String(process.pid));
    writeFileSync('/run/docker/containerd/containerd.pid', String(process.pid));
    deadSocket('/run/containerd/containerd.sock');
  }, 60_000);
  expect(Date.now() - startedMs < 14_000, `it took ${Date.now() - startedMs} ms`);
});

await trial('no process of a container is left that dockerd does not know', async () => {
  const known = docker('ps', '-q', '--filter', 'name=sleeper') === '' ? 0 : 1;
  expect(pidsOf('sleep').length === known, `${pidsOf('sleep').length} run, dockerd knows ${known}`);
  if (known === 0) docker('start', 'sleeper');
  expect(containerRuns(), 'the container does not run');
});

await trial('shutdown stops containers and dockerd within its budget', async () => {
  agent.kill('SIGTERM');
  await agent.gone;
  const left = ['dockerd', 'containerd', 'sleep'].filter((name) => pidsOf(name).length > 0);
  expect(left.length === 0, `still there: ${left.join(', ')}`);
});
