import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';
import type { DaemonConfig } from './dockerd-config.ts';
import { networkDatabase } from './lost-networks.ts';

/** One file or directory of dockerd that a power cut can ruin so that dockerd does not start any more. */
export interface Corruption {
  /** Short name for records, e.g. `image-names`. */
  readonly name: string;
  /** Path that is set aside. */
  readonly path: string;
  /** What is lost with it, for the report. */
  readonly lost: string;
}

interface Sign extends Corruption {
  readonly pattern: RegExp;
  /** Where set, one of the lines must show this too: a bolt database panic names its owner only in the stack. */
  readonly owner?: RegExp;
}

/**
 * Finds the one ruined file behind dockerd's last lines, or nothing. Only exact texts count, seen with 20.10.24 or told in
 * moby issues 34840, 37238, 42099, 46689 and balena-engine 246, 322; whatever else is wrong is never touched.
 */
export function findCorruption(lines: readonly string[], config: DaemonConfig): Corruption | undefined {
  const found = signs(config).find(
    (sign) =>
      lines.some((line) => sign.pattern.test(line)) &&
      (sign.owner === undefined || lines.some((line) => sign.owner?.test(line))),
  );
  if (found === undefined) return undefined;
  const { name, path, lost } = found;
  return { name, path, lost };
}

/** What bbolt says of a ruined database when it gives up. */
export const boltPanic =
  /assertion failed: write: circular dependency|invalid freelist page|invalid page type|page \d+ already freed|invalid database/;

function signs({ dataRoot, storageDriver }: DaemonConfig): readonly Sign[] {
  const meta = `${dataRoot}/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db`;
  const network = networkDatabase(dataRoot);
  const volumes = `${dataRoot}/volumes/metadata.db`;
  const containerdLost = "containerd's own images and containers (CRI); images and containers of docker stay";
  const networkLost =
    'networks made by users; docker makes its default ones again, for which running containers are started anew';
  const volumesLost = 'labels and options of volumes; their data stays';
  return [
    {
      name: 'image-names',
      path: `${dataRoot}/image/${storageDriver}/repositories.json`,
      lost: 'names (tags) of images; their layers stay',
      pattern:
        /Couldn't create reference store repository: (unexpected )?(EOF|end of JSON|invalid character)/,
    },
    {
      name: 'networks',
      path: network,
      lost: networkLost,
      pattern: /error while populating kmap: invalid database|local-kv\.db: invalid database/,
    },
    { name: 'networks', path: network, lost: networkLost, pattern: boltPanic, owner: /libnetwork|libkv/ },
    {
      name: 'volumes',
      path: volumes,
      lost: volumesLost,
      pattern: /error while opening volume store metadata database: (invalid database|EOF|unexpected fault)/,
    },
    {
      name: 'volumes',
      path: volumes,
      lost: volumesLost,
      pattern: boltPanic,
      owner: /volume\/(service|store)/,
    },
    {
      name: 'build-cache',
      path: `${dataRoot}/buildkit`,
      lost: 'the cache of `docker build`',
      pattern: /failed to open database file \S*\/buildkit\/\S+\.db: (invalid database|unexpected EOF|EOF)/,
    },
    {
      name: 'containerd-metadata',
      path: meta,
      lost: containerdLost,
      pattern: /unknown service containerd\.services\.namespaces\.v1\.Namespaces: not implemented/,
    },
    {
      name: 'containerd-metadata',
      path: meta,
      lost: containerdLost,
      pattern: boltPanic,
      owner: /containerd\/.*metadata/,
    },
    {
      name: 'containerd-uuid',
      path: `${dataRoot}/containerd/daemon/io.containerd.grpc.v1.introspection/uuid`,
      lost: 'nothing; containerd makes a new one',
      pattern: /invalid UUID length: 0/,
    },
  ];
}

interface Repair {
  readonly name: string;
  readonly atMs: number;
  readonly aside: string;
  /** Whether dockerd has become ready since. */
  readonly helped: boolean;
}

/** Repairs of one file within this time, in milliseconds, and their greatest number. */
const windowMs = 86_400_000;
const maxInWindow = 3;
const keptRepairs = 50;

/** What the repairs need. */
export interface RepairPorts {
  readonly files: Files;
  readonly clock: Clock;
  readonly board: HealthBoard;
  readonly log: Log;
  /** Unit that the files belong to: events are called after it. */
  readonly unit: 'dockerd' | 'containerd';
  /** Record of repairs, e.g. `/data/oh-edge-agent/state/dockerd-repairs.json`. */
  readonly recordFile: string;
}

/**
 * Sets ruined files aside, never deletes them. A loop is impossible: a file is set aside again only after dockerd had become
 * ready in between, and at most three times a day; the record survives the agent.
 */
export class DockerdRepair {
  readonly #ports: RepairPorts;
  #repairs: readonly Repair[] | undefined;

  constructor(ports: RepairPorts) {
    this.#ports = ports;
  }

  /** Why the file must be left where it is; undefined where it may be set aside. */
  async refusal({ name }: Pick<Corruption, 'name'>): Promise<string | undefined> {
    const before = (await this.#load()).filter((repair) => repair.name === name);
    const nowMs = this.#ports.clock.wallMs();
    // A time in the future comes from a clock that was wrong: it counts as recent.
    const recent = before.filter((repair) => nowMs - repair.atMs < windowMs);
    if (recent.some((repair) => !repair.helped)) return 'setting it aside did not help last time';
    return recent.length >= maxInWindow ? `it was set aside ${recent.length} times within a day` : undefined;
  }

  /**
   * Returns the new path, or why the file was left where it is. What must be done in any case is done `first`: where the agent
   * is killed after it, the ruined file is still there to tell its successor.
   */
  async setAside(
    corruption: Corruption,
    first?: () => Promise<void>,
  ): Promise<{ readonly aside: string } | { readonly refusal: string }> {
    const { files, clock, board, log, unit } = this.#ports;
    const { name, path, lost } = corruption;
    const refusal = await this.refusal(corruption);
    if (refusal !== undefined) return { refusal };
    if (first !== undefined && (await this.#isThere(path))) {
      // A disk that takes no word lets nothing be set aside either: then nothing is done at all.
      await this.#save(await this.#load());
      await first();
    }
    const nowMs = clock.wallMs();
    const aside = await files.setAside(path);
    if (aside === undefined) return { refusal: 'there is no such file' };
    await this.#save([...(await this.#load()), { name, atMs: nowMs, aside, helped: false }]);
    board.record(`${unit}.repaired`, { name, path, aside, lost });
    log.warn(`${unit}.repaired`, { name, path, aside, lost });
    return { aside };
  }

  /** Remembers that the unit became ready, so an open repair has helped. */
  async confirm(): Promise<void> {
    const repairs = await this.#load();
    if (repairs.every((repair) => repair.helped)) return;
    await this.#save(repairs.map((repair) => ({ ...repair, helped: true })));
  }

  async #isThere(path: string): Promise<boolean> {
    const text = await this.#ports.files.read(path, 0).catch(() => 'too large, or a directory');
    return text !== undefined;
  }

  async #load(): Promise<readonly Repair[]> {
    if (this.#repairs !== undefined) return this.#repairs;
    const { files, log, recordFile, unit } = this.#ports;
    const text = await files.read(recordFile);
    const repairs = text === undefined ? [] : decodeRepairs(text);
    if (repairs === undefined) {
      log.warn(`${unit}.repair-record-broken`, { aside: await files.setAside(recordFile) });
    }
    this.#repairs = repairs ?? [];
    return this.#repairs;
  }

  async #save(repairs: readonly Repair[]): Promise<void> {
    this.#repairs = repairs.slice(-keptRepairs);
    const text = `${JSON.stringify({ version: 1, repairs: this.#repairs })}\n`;
    await this.#ports.files.replace(this.#ports.recordFile, text);
  }
}

function decodeRepairs(text: string): readonly Repair[] | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    const { version, repairs } = value ?? {};
    if (version !== 1 || !Array.isArray(repairs)) return undefined;
    return repairs.every(isRepair) ? repairs : undefined;
  } catch {
    return undefined;
  }
}

function isRepair(value: unknown): value is Repair {
  if (typeof value !== 'object' || value === null) return false;
  const { name, atMs, aside, helped } = value as Readonly<Record<string, unknown>>;
  const isText = typeof name === 'string' && typeof aside === 'string';
  return isText && typeof atMs === 'number' && Number.isFinite(atMs) && typeof helped === 'boolean';
}
