import { aborted } from '../core/aborted.ts';
import { messageOf } from '../core/agent-error.ts';
import { type BackoffPolicy, backoffDelay } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Processes } from '../core/process.ts';
import { type ContainerState, inspectContainer, listContainers, shortId } from './docker-containers.ts';

/** What the watch looks and acts with. */
export interface ContainerWatchPorts {
  readonly clock: Clock;
  readonly docker: DockerApi;
  readonly processes: Processes;
  readonly note: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Ends what containerd still runs under the first 12 characters of an id. */
  readonly endShim: (container: string) => Promise<unknown>;
}

/** Milliseconds in which a shim that found no containerd tells of an end all the same (containerd runtime/v2/shim/publisher.go: five tries in 15 s). */
const ghostMs = 20_000;
const askMs = 5_000;
/** Milliseconds for a start, on a slow flash too. */
const mendMs = 60_000;
const pauses: BackoffPolicy = { floorMs: 30_000, ceilingMs: 3_600_000 };
/** A mend goes on after the look that began it. */
const lasting = new AbortController().signal;

/** First process of one life of a container. */
interface Life {
  readonly startedAt: string;
  readonly pid: number;
  readonly startTicks: number;
}

interface Suspect {
  readonly startedAt: string;
  readonly sinceMs: number;
}

interface Tries {
  readonly count: number;
  readonly nextMs: number;
}

/** Containers of one look that may fail to be looked at before the others are left for the next one. */
const maxFailures = 3;

/**
 * Looks after containers that dockerd has lost sight of. Seen with 20.10.24: an end that nobody told it, because containerd and
 * the shim died together, leaves a container "Up" for ever; and a restart by policy that fails, e.g. because containerd was
 * away or the disk was full at that moment, is never tried again (moby daemon/monitor.go handleContainerExit).
 */
export class ContainerWatch {
  readonly #ports: ContainerWatchPorts;
  /** First processes of running containers, so that at rest dockerd is asked for its list alone. */
  readonly #living = new Map<string, Life>();
  readonly #suspects = new Map<string, Suspect>();
  readonly #tries = new Map<string, Tries>();
  readonly #mending = new Map<string, Promise<void>>();
  #isResting = false;

  constructor(ports: ContainerWatchPorts) {
    this.#ports = ports;
  }

  /** Looks once; what has to be done goes on after it. Rejects where dockerd does not answer. */
  async look(signal: AbortSignal): Promise<void> {
    if (this.#isResting) return;
    const { docker } = this.#ports;
    const all = await listContainers(docker, { isAll: true, timeoutMs: askMs }, signal);
    this.#forget(new Set(all.map(({ id }) => id)));
    let failures = 0;
    for (const { id, state } of all) {
      if (this.#mending.has(id)) continue;
      if (state !== 'running') this.#living.delete(id);
      if (state !== 'running') this.#suspects.delete(id);
      try {
        if (state === 'running') await this.#judgeRunning(id, signal);
        if (state === 'exited') await this.#judgeExited(id, signal);
      } catch (error) {
        // One that hangs on a bad disk must not hide those behind it.
        failures += 1;
        if (signal.aborted || failures >= maxFailures) throw error;
      }
    }
  }

  /** Begins nothing any more, and returns when what has been begun is over, or at the signal. */
  async rest(signal: AbortSignal): Promise<void> {
    this.#isResting = true;
    await Promise.race([Promise.all(this.#mending.values()), aborted(signal)]);
  }

  /** A new dockerd is looked after again. */
  wake(): void {
    this.#isResting = false;
  }

  async #judgeRunning(id: string, signal: AbortSignal): Promise<void> {
    const { clock, docker } = this.#ports;
    const known = this.#living.get(id);
    if (known !== undefined && (await this.#startOf(known.pid)) === known.startTicks) return;
    const container = await inspectContainer(docker, id, askMs, signal);
    if (container?.isRunning !== true || container.pid === 0) return;
    if (await this.#isAlive(id, container)) {
      this.#suspects.delete(id);
      this.#tries.delete(id);
      return;
    }
    const { startedAt } = container;
    const nowMs = clock.nowMs();
    const suspect = this.#suspects.get(id);
    if (suspect?.startedAt !== startedAt) this.#suspects.set(id, { startedAt, sinceMs: nowMs });
    else if (nowMs - suspect.sinceMs >= ghostMs && this.#isDue(id)) this.#mend(id, container, 'Ghost');
  }

  /** Where the number of its first process is somebody else's by now, that one began at another time. */
  async #isAlive(id: string, { pid, startedAt }: ContainerState): Promise<boolean> {
    const known = this.#living.get(id);
    const startTicks = await this.#startOf(pid);
    if (startTicks === undefined) return false;
    if (known?.startedAt === startedAt && known.startTicks !== startTicks) return false;
    this.#living.set(id, { pid, startedAt, startTicks });
    return true;
  }

  async #judgeExited(id: string, signal: AbortSignal): Promise<void> {
    const { clock, docker } = this.#ports;
    if (!this.#isDue(id)) return;
    const container = await inspectContainer(docker, id, askMs, signal);
    if (container === undefined || container.isRunning) return;
    // Pods leave many of these; `docker update` may change the policy of one.
    if (!container.isToRun) this.#tries.set(id, { count: 0, nextMs: clock.nowMs() + pauses.ceilingMs });
    // One that was stopped by hand has no error; docker itself starts all others whenever dockerd starts.
    else if (container.error !== '') this.#mend(id, container, 'StartFailed');
  }

  #isDue(id: string): boolean {
    return (this.#tries.get(id)?.nextMs ?? 0) <= this.#ports.clock.nowMs();
  }

  #mend(id: string, container: ContainerState, reason: 'Ghost' | 'StartFailed'): void {
    if (this.#isResting) return;
    const { clock, note } = this.#ports;
    const count = (this.#tries.get(id)?.count ?? 0) + 1;
    const pauseMs = backoffDelay(count, pauses, 1);
    this.#tries.set(id, { count, nextMs: clock.nowMs() + pauseMs });
    const told = { container: shortId(id), name: container.name, reason };
    const act = reason === 'Ghost' ? this.#wakeGhost(id, container) : this.#start(id);
    const mending = act
      .then(
        () => note('dockerd.container-revived', { ...told, why: whyOf(reason, container) }),
        (error: unknown) =>
          note('dockerd.container-not-revived', { ...told, why: messageOf(error), pauseMs }),
      )
      .finally(() => this.#mending.delete(id));
    this.#mending.set(id, mending);
  }

  /**
   * Being asked to stop what is not there is what makes dockerd notice, after the time that the container gets to stop. It must
   * have that time, and more: after it dockerd kills whoever has that process number by now (moby daemon/kill.go). One that
   * nobody wants to run again stays stopped.
   */
  async #wakeGhost(id: string, { isToRun, stopTimeoutS }: ContainerState): Promise<void> {
    const graceS = Math.max(0, stopTimeoutS) + 5;
    const act = isToRun ? 'restart' : 'stop';
    await this.#post(`/containers/${id}/${act}?t=${graceS}`, mendMs + graceS * 1_000);
    const now = await inspectContainer(this.#ports.docker, id, askMs, lasting);
    if (isToRun && now?.isRunning === false) await this.#start(id);
  }

  async #start(id: string): Promise<void> {
    const path = `/containers/${id}/start`;
    try {
      await this.#post(path, mendMs);
    } catch (error) {
      // containerd has begun what dockerd lost, and nobody ends it (balena-engine 435).
      if (!/already exists|id already in use/.test(messageOf(error))) throw error;
      await this.#ports.endShim(shortId(id));
      await this.#post(path, mendMs);
    }
  }

  async #post(path: string, timeoutMs: number): Promise<void> {
    const { status, body } = await this.#ports.docker.request({ method: 'POST', path, timeoutMs }, lasting);
    if (status >= 400)
      throw new Error(`dockerd answers ${status}: ${new TextDecoder().decode(body).slice(0, 300)}`);
  }

  /**
   * Start time of a process that is there; undefined where it is gone. A first process whose other threads run on looks like a
   * zombie, and a real one whose shim lives will be told of; only with init as its parent nobody will.
   */
  async #startOf(pid: number): Promise<number | undefined> {
    const facts = await this.#ports.processes.facts(pid);
    const isGone =
      facts === undefined || facts.state === 'X' || (facts.state === 'Z' && facts.parentPid === 1);
    return isGone ? undefined : facts.startTicks;
  }

  #forget(ids: ReadonlySet<string>): void {
    for (const map of [this.#living, this.#suspects, this.#tries]) {
      for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
    }
  }
}

function whyOf(reason: 'Ghost' | 'StartFailed', { error, pid }: ContainerState): string {
  return reason === 'Ghost' ? `its process ${pid} was gone and dockerd did not know` : error;
}
