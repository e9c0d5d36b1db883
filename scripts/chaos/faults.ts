import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Board, clockFile, isEdgecore, type Seen } from './board.ts';
import { dockerFiles, type Fault, type FaultKind } from './plan.ts';
import { type Proc, processes, send } from './proc.ts';
import { eventually } from './wait.ts';

/** What one kind of fault does, and what the agent must have said about it afterwards. */
interface Trouble {
  /** Does it and returns when it is over; a text says why it could not be done here. */
  act(board: Board, fault: Fault): Promise<string | undefined> | string | undefined;
  /** What is missing in what was told since; empty where everything is there. */
  missing(told: readonly Seen[], fault: Fault): readonly string[];
}

const dockerdEnded = is('unit.ended', { unit: 'dockerd' });
const containerdEnded = is('unit.ended', { unit: 'containerd' });
const edgecoreEnded = is('unit.ended', { unit: 'edgecore' });

/** The table of all troubles. */
export const troubles: Readonly<Record<FaultKind, Trouble>> = {
  'kill-agent': {
    act: (board) => none(send(board.agentPid, 'SIGKILL')),
    missing: (told) =>
      wanted(told, {
        'unit.adopted dockerd': is('unit.adopted', { unit: 'dockerd' }),
        'unit.adopted edgecore': is('unit.adopted', { unit: 'edgecore' }),
      }),
  },
  'stop-agent': {
    act: async (board, { lastsMs }) => {
      const pid = board.agentPid;
      send(pid, 'SIGSTOP');
      await sleep(lastsMs);
      send(pid, 'SIGCONT');
      return undefined;
    },
    // A process cannot tell that it stood still.
    missing: () => [],
  },
  'kill-dockerd': {
    act: () => signalAll('dockerd', 'SIGKILL'),
    missing: (told) => [
      ...wanted(told, { 'unit.ended dockerd': dockerdEnded }),
      ...fell(told, 'DockerReady'),
    ],
  },
  'stop-dockerd': {
    act: () => signalAll('dockerd', 'SIGSTOP'),
    missing: (told) => [
      ...wanted(told, {
        'unit.resumed dockerd': either(is('unit.resumed', { unit: 'dockerd' }), dockerdEnded),
      }),
      ...fell(told, 'DockerReady'),
    ],
  },
  'kill-containerd': {
    act: () => signalAll('containerd', 'SIGKILL'),
    missing: (told) =>
      wanted(told, {
        'dockerd.runtime-replaced': either(is('dockerd.runtime-replaced'), dockerdEnded, containerdEnded),
      }),
  },
  'stop-containerd': {
    act: () => signalAll('containerd', 'SIGSTOP'),
    missing: (told) => [
      ...wanted(told, {
        'unit.aided dockerd': either(
          is('unit.aided', { unit: 'dockerd' }),
          is('unit.resumed', { unit: 'containerd' }),
          dockerdEnded,
        ),
      }),
      ...fell(told, 'DockerReady', 'ContainerdReady'),
    ],
  },
  'kill-shim': { act: () => signalShim('SIGKILL'), missing: () => [] },
  'stop-shim': {
    act: () => signalShim('SIGSTOP'),
    missing: (told) => wanted(told, { 'dockerd.shims-resumed': is('dockerd.shims-resumed') }),
  },
  'kill-edgecore': {
    act: () => signalEdgecore('SIGKILL'),
    missing: (told) => [
      ...wanted(told, { 'unit.ended edgecore': edgecoreEnded }),
      ...fell(told, 'EdgecoreReady'),
    ],
  },
  'stop-edgecore': {
    act: () => signalEdgecore('SIGSTOP'),
    missing: (told) => [
      ...wanted(told, {
        'unit.resumed edgecore': either(is('unit.resumed', { unit: 'edgecore' }), edgecoreEnded),
      }),
      ...fell(told, 'EdgecoreReady'),
    ],
  },
  'spoil-state': {
    act: (board, fault) => {
      const file = path.resolve(board.places.home, fault.what);
      if (!existsSync(file)) return `there is no ${fault.what}`;
      spoil(file, fault.how);
      send(board.agentPid, 'SIGKILL');
      if (fault.what.startsWith('/etc/kubeedge')) return signalEdgecore('SIGKILL');
      return undefined;
    },
    missing: (told, { what }) =>
      what.startsWith('state/units/') ? wanted(told, { 'unit.record-broken': is('unit.record-broken') }) : [],
  },
  'spoil-docker': {
    act: (board, { what }) => {
      const [file, how] = dockerFiles[what as keyof typeof dockerFiles];
      const { home, hasOwnContainerd } = board.places;
      const isOther = hasOwnContainerd && what === 'containerd-metadata';
      const whole = isOther
        ? file.replace('containerd/daemon', `${home}/containerd`)
        : `${home}/docker/${file}`;
      if (!existsSync(whole)) return `there is no ${file}`;
      return whileDown(board, () => spoil(whole, how), isOther ? ['dockerd', 'containerd'] : ['dockerd']);
    },
    missing: (told, { what }) => [
      ...wanted(told, {
        [`repaired ${what}`]: either(
          is('dockerd.repaired', { name: what }),
          is('containerd.repaired', { name: what }),
        ),
      }),
      ...fell(told, 'DockerReady'),
    ],
  },
  'stale-leftovers': {
    act: (board) =>
      whileDown(board, () => {
        writeFileSync('/run/docker.pid', String(process.pid));
        mkdirSync('/run/docker/containerd', { recursive: true });
        writeFileSync('/run/docker/containerd/containerd.pid', String(process.pid));
        if (!board.places.hasOwnContainerd) deadSocket('/run/containerd/containerd.sock');
      }),
    missing: (told) => wanted(told, { 'dockerd.leftovers-removed': is('dockerd.leftovers-removed') }),
  },
  'full-disk': {
    act: async (board, { lastsMs }) => {
      const file = `${board.places.home}/ballast`;
      fill(file);
      signalAll('dockerd', 'SIGKILL');
      signalEdgecore('SIGKILL');
      await sleep(lastsMs + 6_000);
      rmSync(file, { force: true });
      return undefined;
    },
    missing: (told) =>
      wanted(told, {
        'DiskPressure true': is('condition.changed', { type: 'DiskPressure', status: 'true' }),
      }),
  },
  'clock-jump': {
    act: async (board, { seconds, lastsMs }) => {
      if (board.places.faketime === '')
        return 'libfaketime is not installed; the clock of this machine is left alone';
      writeFileSync(clockFile, `${seconds > 0 ? '+' : ''}${seconds}\n`);
      signalEdgecore('SIGKILL');
      await sleep(lastsMs + 6_000);
      writeFileSync(clockFile, '+0\n');
      return undefined;
    },
    missing: (told) => wanted(told, { 'clock.jumped': is('clock.jumped') }),
  },
};

type Fits = (event: Seen) => boolean;

/** Another fault of the same round may have ended what this one had stopped. */
function either(...all: readonly Fits[]): Fits {
  return (event) => all.some((fits) => fits(event));
}

function is(name: string, fields: Readonly<Record<string, string>> = {}): Fits {
  return ({ event, fields: said }) =>
    event === name && Object.entries(fields).every(([key, value]) => said[key] === value);
}

function wanted(told: readonly Seen[], what: Readonly<Record<string, Fits>>): readonly string[] {
  return Object.entries(what).flatMap(([name, fits]) => (told.some(fits) ? [] : [`no event ${name}`]));
}

/** One of the conditions must have been seen bad. */
function fell(told: readonly Seen[], ...types: readonly string[]): readonly string[] {
  const isFall = either(...types.map((type) => is('condition.changed', { type, status: 'false' })));
  return told.some(isFall) ? [] : [`${types.join(' or ')} was never false`];
}

function none(_value: unknown): undefined {
  return undefined;
}

/** Main processes of that name: a child on its way to another program still has its parent's name. */
export function mainsOf(name: string): readonly Proc[] {
  const all = processes().filter((one) => one.name === name);
  return all.filter((one) => !all.some((other) => other.pid === one.parent));
}

export function edgecores(): readonly Proc[] {
  return processes().filter(({ argv }) => isEdgecore(argv));
}

function signalAll(name: string, signal: NodeJS.Signals): string | undefined {
  const mains = mainsOf(name);
  for (const { pid } of mains) send(pid, signal);
  return mains.length === 0 ? `there is no ${name} just now` : undefined;
}

function signalEdgecore(signal: NodeJS.Signals): string | undefined {
  const found = edgecores();
  for (const { pid } of found) send(pid, signal);
  return found.length === 0 ? 'there is no edgecore just now' : undefined;
}

/** One shim only: the first one, which is always the same container's while nothing else happens. */
function signalShim(signal: NodeJS.Signals): string | undefined {
  const shim = processes().find(({ argv }) => argv[0]?.endsWith('containerd-shim-runc-v2') === true);
  if (shim === undefined) return 'there is no shim just now';
  send(shim.pid, signal);
  return undefined;
}

function spoil(file: string, how: Fault['how']): void {
  const { length } = readFileSync(file);
  if (how === 'empty') truncateSync(file, 0);
  else if (how === 'torn') truncateSync(file, Math.floor(length / 2));
  else writeFileSync(file, Buffer.alloc(Math.max(length, 32_768), 0x5a));
}

/** Kills dockerd, or what else is named, while the agent looks away, changes the ground under it, and lets the agent go on. */
async function whileDown(
  board: Board,
  act: () => void,
  victims: readonly string[] = ['dockerd'],
): Promise<string | undefined> {
  const pid = board.agentPid;
  send(pid, 'SIGSTOP');
  try {
    for (const name of victims) signalAll(name, 'SIGKILL');
    const gone = board.places.hasOwnContainerd ? victims : ['containerd'];
    await eventually(`${gone.join(' and ')} go`, 20_000, () =>
      gone.every((name) => mainsOf(name).length === 0) ? true : undefined,
    );
    act();
  } finally {
    send(pid, 'SIGCONT');
  }
  return undefined;
}

/** Leaves a socket file that nobody listens on. */
function deadSocket(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  rmSync(file, { force: true });
  const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
}

/** Writes until the disk takes no more. */
function fill(file: string): void {
  const piece = Buffer.alloc(1_048_576, 0x5a);
  for (let size = piece.length; size >= 1; size = Math.floor(size / 4)) {
    try {
      for (;;) writeFileSync(file, piece.subarray(0, size), { flag: 'a' });
    } catch {
      // The next smaller piece may still fit.
    }
  }
}
