import type { Files } from '../core/files.ts';
import type { Processes, ProcessFacts } from '../core/process.ts';
import { findShims } from './end-shims.ts';

/** What the watch looks with, and where it tells what it saw. */
export interface RuntimeWatchPorts {
  readonly files: Files;
  readonly processes: Processes;
  readonly note: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Where the containerd and the shims of one dockerd are. */
export interface RuntimePlaces {
  readonly execRoot: string;
  /** Socket of the containerd behind dockerd. */
  readonly containerd: string;
  /** Paths that a shim may have as its program. */
  readonly shims: readonly string[];
}

/**
 * Looks after the processes below dockerd that dockerd itself does not look after: it replaces a containerd that died and
 * tells nobody, and nothing ever wakes a containerd or a shim that a signal has stopped.
 */
export class RuntimeWatch {
  readonly #ports: RuntimeWatchPorts;
  #seen: Pick<ProcessFacts, 'pid' | 'startTicks'> | undefined;

  constructor(ports: RuntimeWatchPorts) {
    this.#ports = ports;
  }

  /** A new dockerd brings a new containerd: that is no replacement. */
  forget(): void {
    this.#seen = undefined;
  }

  /** Tells of a containerd that was replaced, and wakes shims. */
  async look(places: RuntimePlaces): Promise<void> {
    const containerd = await this.#containerd(places);
    const { pid, startTicks } = containerd ?? { pid: 0, startTicks: 0 };
    const isOther = this.#seen !== undefined && this.#seen.startTicks !== startTicks;
    if (containerd !== undefined && isOther) this.#ports.note('dockerd.runtime-replaced', { pid });
    if (containerd !== undefined) this.#seen = { pid, startTicks };
    await this.wakeShims(places);
  }

  /** A shim that does not answer holds up the start of dockerd and every question about its container. */
  async wakeShims({ containerd, shims }: RuntimePlaces): Promise<readonly string[]> {
    const { processes, note } = this.#ports;
    const stopped = await findShims(processes, shims, containerd, 'T');
    for (const shim of stopped) await processes.signal(shim, 'SIGCONT');
    const containers = stopped.map(({ container }) => container);
    if (containers.length > 0) note('dockerd.shims-resumed', { containers });
    return containers;
  }

  /**
   * Gets a runtime that hangs going again and returns what was done; empty where nothing can be. A containerd that hangs is
   * ended, dockerd starts another one within 10 s, and containers run on.
   */
  async help(places: RuntimePlaces): Promise<readonly string[]> {
    const { processes } = this.#ports;
    const containers = await this.wakeShims(places);
    if (containers.length > 0)
      return [`shims of ${containers.join(', ')} had been stopped and were told to go on`];
    const facts = await this.#containerd(places);
    if (facts === undefined) return [];
    if (facts.state === 'T') {
      await processes.signal(facts, 'SIGCONT');
      return [`containerd (process ${facts.pid}) had been stopped by a signal and was told to go on`];
    }
    const evidence = await processes.describe(facts.pid).catch(() => []);
    await processes.signal(facts, 'SIGKILL');
    return [`containerd (process ${facts.pid}) hung and was ended; dockerd starts another one`, ...evidence];
  }

  async #containerd({ execRoot }: RuntimePlaces): Promise<ProcessFacts | undefined> {
    const { files, processes } = this.#ports;
    const text = await files.read(`${execRoot}/containerd/containerd.pid`, 64).catch(() => undefined);
    const facts = await processes.facts(Number.parseInt(text ?? '', 10) || 0);
    return facts?.name === 'containerd' ? facts : undefined;
  }
}
