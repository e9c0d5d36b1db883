import type { Clock } from '../core/clock.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Files } from '../core/files.ts';
import type { Processes } from '../core/process.ts';
import { ContainerWatch } from './container-watch.ts';
import { shortId } from './docker-containers.ts';
import { endShims, type Shim } from './end-shims.ts';
import { findLostContainers } from './lost-containers.ts';
import { hasLostNetworks } from './lost-networks.ts';
import type { RuntimePlaces } from './runtime-watch.ts';

/** What is looked with, and where it is told what was done. */
export interface DockerdContainersPorts {
  readonly clock: Clock;
  readonly docker: DockerApi;
  readonly files: Files;
  readonly processes: Processes;
  readonly note: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Docker's containers, where dockerd cannot help them itself. */
export class DockerdContainers {
  readonly #ports: DockerdContainersPorts;
  readonly #places: () => RuntimePlaces;
  readonly #watch: ContainerWatch;

  /** `places` says where they are just now. */
  constructor(ports: DockerdContainersPorts, places: () => RuntimePlaces) {
    this.#ports = ports;
    this.#places = places;
    const endShim = (id: string): Promise<unknown> => this.#end(({ container }) => container === id);
    this.#watch = new ContainerWatch({ ...ports, endShim });
  }

  /** A new containerd knows nothing of the containers that still run, so dockerd calls them dead and starts them again. */
  async endOrphans(): Promise<void> {
    const containers = await this.#end();
    if (containers.length > 0) this.#ports.note('dockerd.orphans-ended', { containers });
  }

  /**
   * They would keep dockerd from making its networks again; their restart policy starts them anew. Only where the disk is known
   * to take something (`DiskReserve`): without that dockerd does not start, and they would be ended for nothing.
   */
  async endNetworkless(dataRoot: string): Promise<void> {
    if (!(await hasLostNetworks(this.#ports.files, dataRoot))) return;
    const containers = await this.#end(({ namespace }) => namespace === 'moby');
    if (containers.length > 0) this.#ports.note('dockerd.networkless-ended', { containers });
  }

  /** Nobody else could ever end what dockerd does not know, and it may hold a port that its successor needs. */
  async tellLost(dataRoot: string, signal: AbortSignal): Promise<void> {
    const { files, note } = this.#ports;
    for (const { id, record } of await findLostContainers(this.#ports, dataRoot, signal)) {
      const container = shortId(id);
      await this.#end((shim) => shim.container === container);
      const aside = await files.setAside(record);
      const lost = `container ${container}, for whoever made it to make it again`;
      note('dockerd.repaired', { name: 'container-record', path: record, aside, lost });
    }
  }

  /** Rejects where dockerd does not answer. */
  look(signal: AbortSignal): Promise<void> {
    return this.#watch.look(signal);
  }

  /** Starts nothing any more until `wake`, and returns when what has been begun is over, or at the signal. */
  rest(signal: AbortSignal): Promise<void> {
    return this.#watch.rest(signal);
  }

  wake(): void {
    this.#watch.wake();
  }

  #end(isMeant?: (shim: Shim) => boolean): Promise<readonly string[]> {
    const { shims, containerd } = this.#places();
    return endShims(this.#ports.processes, shims, containerd, isMeant);
  }
}
