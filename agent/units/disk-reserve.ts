import type { Files } from '../core/files.ts';
import type { Fault } from '../core/unit-spec.ts';

/** Bytes that dockerd gets to write before it must be believed that the disk is full. */
const neededBytes = 262_144;
/** Bytes put by for the day when there is no room. */
const reserveBytes = 4_194_304;
/** What is left of our own files when the power goes while they are written, and the trial itself. */
const torn = /^oh-edge-agent\.(?:room|(?:room|reserve)\.new-.*)$/;

/** What the reserve works with. */
export interface DiskReservePorts {
  readonly files: Files;
  readonly note: (event: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Sees to it that dockerd is never started without room to write: it would come up, take orders and not know the containers
 * that run (moby daemon/container.go Register, whose failed checkpoint is only logged), until somebody restarts it. Some room
 * is put by in good times, because freeing space by `docker system prune` takes a dockerd.
 */
export class DiskReserve {
  readonly #ports: DiskReservePorts;

  constructor(ports: DiskReservePorts) {
    this.#ports = ports;
  }

  /** Makes sure of the room below a data-root; a fault says that there is none. */
  async ensure(dataRoot: string): Promise<Fault | undefined> {
    const { files, note } = this.#ports;
    const reserve = `${dataRoot}/oh-edge-agent.reserve`;
    await files.makeDirectory(dataRoot, 0o710).catch(() => undefined);
    await this.#clearTorn(dataRoot);
    if (await this.#hasRoom(dataRoot)) {
      await this.#putBy(dataRoot, reserve);
      return undefined;
    }
    const names: readonly string[] = await files.list(dataRoot).catch(() => []);
    if (names.includes('oh-edge-agent.reserve')) {
      await files.remove(reserve).catch(() => undefined);
      note('dockerd.reserve-used', { path: reserve, bytes: reserveBytes });
      if (await this.#hasRoom(dataRoot)) return undefined;
    }
    const message = `There is no room below "${dataRoot}", and without it dockerd would not know its containers, which run on; free some space on that disk`;
    return { reason: 'DiskFull', message, isPermanent: false };
  }

  /** A power cut in the middle leaves a file of megabytes under a name that nobody looks for again. */
  async #clearTorn(dataRoot: string): Promise<void> {
    const { files } = this.#ports;
    const names: readonly string[] = await files.list(dataRoot).catch(() => []);
    for (const name of names) {
      if (torn.test(name)) await files.remove(`${dataRoot}/${name}`).catch(() => undefined);
    }
  }

  async #hasRoom(dataRoot: string): Promise<boolean> {
    const { files } = this.#ports;
    const trial = `${dataRoot}/oh-edge-agent.room`;
    try {
      await files.replace(trial, '.'.repeat(neededBytes), { mode: 0o600 });
      return true;
    } catch {
      return false;
    } finally {
      await files.remove(trial).catch(() => undefined);
    }
  }

  /** Only where enough remains afterwards; without the reserve everything works but the day on which it is needed. */
  async #putBy(dataRoot: string, reserve: string): Promise<void> {
    const { files } = this.#ports;
    const names = await files.list(dataRoot).catch(() => ['oh-edge-agent.reserve']);
    if (names.includes('oh-edge-agent.reserve')) return;
    try {
      await files.replace(reserve, '.'.repeat(reserveBytes), { mode: 0o600 });
      if (!(await this.#hasRoom(dataRoot))) await files.remove(reserve);
    } catch {
      await files.remove(reserve).catch(() => undefined);
    }
  }
}
