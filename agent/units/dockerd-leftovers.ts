import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Processes, ProcessFacts } from '../core/process.ts';
import type { UnixSockets } from '../core/program.ts';
import type { Fault } from '../core/unit-spec.ts';
import type { DaemonConfig } from './dockerd-config.ts';

/** The machine as far as leftovers go. */
export interface LeftoverPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly processes: Processes;
  readonly sockets: UnixSockets;
}

/** Milliseconds that an old containerd gets to leave before it is killed, and after that. */
const leaveMs = 10_000;
const killedMs = 5_000;
/** Looks come fast at first: a containerd whose dockerd was killed dies with it, by PR_SET_PDEATHSIG. */
const firstLookMs = 2;
const lookMs = 50;
/** containerd of the system, which dockerd uses as soon as the file exists (moby cmd/dockerd/daemon.go systemContainerdRunning). */
const systemContainerd = 'containerd/containerd.sock';

/**
 * Clears what an earlier dockerd left and the next one would trip over. dockerd only asks whether the number in a pid file
 * is in use by anybody, a zombie included, and then refuses to start (docker.pid) or waits 15 s and gives up
 * (containerd.pid); a dead containerd socket costs it 60 s. Nothing below data-root is touched. Returns what was removed,
 * or a fault where something alive stands in the way.
 */
export async function clearLeftovers(
  config: DaemonConfig,
  runDir: string,
  ports: LeftoverPorts,
  signal: AbortSignal,
): Promise<readonly string[] | Fault> {
  const removed: string[] = [];
  const blocked = await clearPidFile(config.pidFile, 'dockerd', ports, removed);
  if (blocked !== undefined) return blocked;
  const containerd = await awaitOldContainerd(config, ports, { removed, signal });
  if (containerd !== undefined) return containerd;
  for (const socket of [`${runDir}/${systemContainerd}`, `${config.execRoot}/containerd/containerd.sock`]) {
    if ((await ports.sockets.state(socket, 1_000)) !== 'dead') continue;
    await ports.files.remove(socket);
    removed.push(socket);
  }
  return removed;
}

async function clearPidFile(
  path: string,
  program: string,
  ports: LeftoverPorts,
  removed: string[],
): Promise<Fault | undefined> {
  const text = await ports.files.read(path, 64).catch(() => '');
  if (text === undefined) return undefined;
  const facts = await ports.processes.facts(pidIn(text));
  if (facts !== undefined && isLiving(facts, program)) {
    const message = `"${path}" names process ${facts.pid}, a living ${program} that is not ours; stop that one first`;
    return { reason: 'AnotherDockerd', message, isPermanent: false };
  }
  await ports.files.remove(path);
  removed.push(path);
  return undefined;
}

/** A containerd of an earlier dockerd is given time to leave, then killed: its shims and containers stay. */
async function awaitOldContainerd(
  config: DaemonConfig,
  ports: LeftoverPorts,
  { removed, signal }: { readonly removed: string[]; readonly signal: AbortSignal },
): Promise<Fault | undefined> {
  const path = `${config.execRoot}/containerd/containerd.pid`;
  const text = await ports.files.read(path, 64).catch(() => '');
  if (text === undefined) return undefined;
  const pid = pidIn(text);
  const living = async (): Promise<ProcessFacts | undefined> => {
    const facts = await ports.processes.facts(pid);
    return facts !== undefined && isLiving(facts, 'containerd') ? facts : undefined;
  };
  const waitGone = async (ms: number): Promise<ProcessFacts | undefined> => {
    const until = ports.clock.nowMs() + ms;
    for (let pauseMs = firstLookMs; ; pauseMs = Math.min(lookMs, 2 * pauseMs)) {
      const facts = await living();
      if (facts === undefined || ports.clock.nowMs() >= until) return facts;
      await ports.clock.sleep(pauseMs, signal);
    }
  };
  const stays = await waitGone(leaveMs);
  if (stays !== undefined) {
    await ports.processes.signal(stays, 'SIGKILL');
    if ((await waitGone(killedMs)) !== undefined) {
      const message = `The old containerd (process ${pid}) does not go away even after SIGKILL; a disk may hang`;
      return { reason: 'OldContainerdStuck', message, isPermanent: false };
    }
  }
  await ports.files.remove(path);
  removed.push(path);
  return undefined;
}

function pidIn(text: string): number {
  const pid = Number.parseInt(text.trim(), 10);
  return Number.isInteger(pid) && pid > 0 ? pid : 0;
}

/** A recycled number belongs to another program; a zombie runs nothing any more. */
function isLiving(facts: ProcessFacts, program: string): boolean {
  if (facts.state === 'Z' || facts.state === 'X') return false;
  return facts.name === program || facts.exe?.endsWith(`/${program}`) === true;
}
