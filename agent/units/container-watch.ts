import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Processes, ProcessFacts } from '../core/process.ts';
import { type ContainerState, inspectContainer, listContainers } from './docker-containers.ts';

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
/** Docker gives a container that is to be stopped 10 s, and waits as long again for the end of one that is gone. */
const mendMs = 60_000;
const firstPauseMs = 30_000;
const maxPauseMs = 3_600_000;

interface Suspect {
  readonly pid: number;
  readonly sinceMs: number;
}

interface Tries {
  readonly count: number;
  readonly nextMs: number;
}

/**
 * Looks after containers that dockerd has lost sight of. Seen with 20.10.24: an end that nobody told it, because containerd and
 * the shim died together, leaves a container "Up" for ever; and a restart by policy that fails, e.g. because containerd was
 * away or the disk was full at that moment, is never tried again (moby daemon/monitor.go handleContainerExit).
 */
export class ContainerWatch {
  readonly #ports: ContainerWatchPorts;
  /** First processes of running containers, so that at rest dockerd is asked for its list alone. */
  readonly #living = new Map<string, Pick<ProcessFacts, 'pid' | 'startTicks'>>();
  readonly #suspects = new Map<string, Suspect>();
  readonly #tries = new Map<string, Tries>();
  readonly #mending = new Set<string>();

  constructor(ports: ContainerWatchPorts) {
    this.#ports = ports;
  }

  /** Looks once; what has to be done goes on after it. Rejects where dockerd does not answer. */
  async look(signal: AbortSignal): Promise<void> {
    const { docker } = this.#ports;
    const all = await listContainers(docker, { isAll: true, timeoutMs: askMs }, signal);
    this.#forget(new Set(all.map(({ id }) => id)));
    for (const { id, state } of all) {
      if (this.#mending.has(id)) continue;
      if (state !== 'running') this.#living.delete(id);
      if (state !== 'running') this.#suspects.delete(id);
      else this.#tries.delete(id);
      if (state === 'running' && !(await this.#isKnownToLive(id))) await this.#judgeRunning(id, signal);
      if (state === 'exited') await this.#judgeExited(id, signal);
    }
  }

  async #judgeRunning(id: string, signal: AbortSignal): Promise<void> {
    const { clock, docker } = this.#ports;
    const container = await inspectContainer(docker, id, askMs, signal);
    if (container?.isRunning !== true || container.pid === 0) return;
    const { pid } = container;
    const before = this.#living.get(id);
    const startTicks = await this.#startOf(pid);
    // Where the number is somebody else's by now, it has another start time.
    if (startTicks !== undefined && (before?.pid !== pid || before.startTicks === startTicks)) {
      this.#living.set(id, { pid, startTicks });
      this.#suspects.delete(id);
      return;
    }
    const nowMs = clock.nowMs();
    const suspect = this.#suspects.get(id);
    if (suspect?.pid !== pid) this.#suspects.set(id, { pid, sinceMs: nowMs });
    else if (nowMs - suspect.sinceMs >= ghostMs) this.#mend(id, container, 'Ghost');
  }

  async #judgeExited(id: string, signal: AbortSignal): Promise<void> {
    const { clock, docker } = this.#ports;
    if ((this.#tries.get(id)?.nextMs ?? 0) > clock.nowMs()) return;
    const container = await inspectContainer(docker, id, askMs, signal);
    if (container === undefined || container.isRunning) return;
    // Pods leave many of these; `docker update` may change the policy of one.
    if (!container.isToRun) this.#tries.set(id, { count: 0, nextMs: clock.nowMs() + maxPauseMs });
    // One that was stopped by hand has no error; docker itself starts all others whenever dockerd starts.
    else if (container.error !== '') this.#mend(id, container, 'StartFailed');
  }

  #mend(id: string, container: ContainerState, reason: 'Ghost' | 'StartFailed'): void {
    const { clock, note } = this.#ports;
    const count = this.#tries.get(id)?.count ?? 0;
    const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** count);
    this.#tries.set(id, { count: count + 1, nextMs: clock.nowMs() + pauseMs });
    this.#suspects.delete(id);
    this.#mending.add(id);
    const told = { container: id.slice(0, 12), name: container.name, reason };
    const act = reason === 'Ghost' ? this.#wake(id, container) : this.#start(id);
    void act
      .then(
        () => note('dockerd.container-revived', { ...told, why: whyOf(reason, container) }),
        (error: unknown) =>
          note('dockerd.container-not-revived', { ...told, why: messageOf(error), pauseMs }),
      )
      .finally(() => this.#mending.delete(id));
  }

  /** Being asked to stop what is not there is what makes dockerd notice (moby daemon/kill.go). One that nobody wants to run again stays so. */
  #wake(id: string, { isToRun }: ContainerState): Promise<void> {
    return this.#post(`/containers/${id}/${isToRun ? 'restart' : 'stop'}?t=1`);
  }

  /** What containerd has begun while dockerd lost it would be in the way: "task … already exists" (balena-engine 435). */
  async #start(id: string): Promise<void> {
    await this.#ports.endShim(id.slice(0, 12));
    await this.#post(`/containers/${id}/start`);
  }

  async #post(path: string): Promise<void> {
    // Not the signal of the look, which is over before this is.
    const { signal } = new AbortController();
    const { status, body } = await this.#ports.docker.request(
      { method: 'POST', path, timeoutMs: mendMs },
      signal,
    );
    if (status >= 400)
      throw new Error(`dockerd answers ${status}: ${new TextDecoder().decode(body).slice(0, 300)}`);
  }

  async #isKnownToLive(id: string): Promise<boolean> {
    const known = this.#living.get(id);
    return known !== undefined && (await this.#startOf(known.pid)) === known.startTicks;
  }

  /** Start time of a living process; undefined where it is gone. */
  async #startOf(pid: number): Promise<number | undefined> {
    const facts = await this.#ports.processes.facts(pid);
    return facts === undefined || facts.state === 'Z' || facts.state === 'X' ? undefined : facts.startTicks;
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
