import * as v from 'valibot';
import type { Files } from '../core/files.ts';
import { parseRelease, type Release } from './release.ts';
import type { EdgeSettings } from './wanted-values.ts';

const taint = v.object({
  key: v.string(),
  value: v.exactOptional(v.string()),
  effect: v.picklist(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

/** What this board has joined, as kept on disk. Holds no secret. */
const shape = v.object({
  version: v.literal(1),
  node: v.string(),
  cloud: v.object({ host: v.string(), hubPort: v.number(), enrolPort: v.number() }),
  labels: v.record(v.string(), v.string()),
  taints: v.array(taint),
  runtime: v.object({ kind: v.picklist(['docker', 'cri']), endpoint: v.string() }),
  cgroupDriver: v.picklist(['cgroupfs', 'systemd']),
  pauseImage: v.optional(v.string()),
  mqtt: v.object({ mode: v.picklist(['internal', 'both', 'external']), externalUrl: v.string() }),
  hasEdgeStream: v.boolean(),
  hasMetaServer: v.boolean(),
  hasServiceBus: v.boolean(),
  /** Release that the operator named, where it could not be told. */
  kubeedge: v.optional(v.string()),
  joinedAtMs: v.number(),
});

/** What this board has joined. The board's own address is not part of it: it is looked up at each start. */
export interface NodeRecord extends Omit<EdgeSettings, 'nodeIp'> {
  readonly kubeedge: string | undefined;
  /** Wall-clock milliseconds. */
  readonly joinedAtMs: number;
}

/** The release that was named when the board joined, where one was. */
export function recordedRelease(record: NodeRecord | undefined): Release | undefined {
  return record?.kubeedge === undefined ? undefined : parseRelease(record.kubeedge, 'record');
}

/** Names of the two copies below the state directory: a block of flash that is lost must not cost a board its cluster. */
export const nodeRecordFiles = ['node.json', 'node.copy.json'] as const;

/** Keeps the record, on disk in two copies and at hand. */
export class NodeRecords {
  readonly #files: Files;
  readonly #file: string;
  readonly #copy: string;
  readonly #listeners = new Set<() => void>();
  #current: NodeRecord | undefined;

  constructor(files: Files, stateDir: string) {
    this.#files = files;
    [this.#file, this.#copy] = nodeRecordFiles.map((name) => `${stateDir}/${name}`) as [string, string];
  }

  /** The record as last read or written; undefined where the board has joined nothing. */
  get current(): NodeRecord | undefined {
    return this.#current;
  }

  /**
   * Reads the record from disk. Where the first file is broken, gone or cannot be read its copy serves, and both are made
   * whole again as far as the disk lets us. Rejects where none is left that can be read: then nobody knows.
   */
  async read(): Promise<NodeRecord | undefined> {
    const first = await this.#look(this.#file);
    const copy = first.record === undefined ? await this.#look(this.#copy) : undefined;
    const found = first.record ?? copy?.record;
    const unreadable = [first, copy].find((look) => look?.how === 'unreadable');
    if (found === undefined && unreadable !== undefined) throw unreadable.error;
    if (first.how === 'broken') await this.#files.setAside(this.#file).catch(() => undefined);
    if (found !== undefined && first.record === undefined) await this.#store(found).catch(() => undefined);
    this.#become(found);
    return found;
  }

  async write(record: NodeRecord): Promise<void> {
    await this.#store(record);
    this.#become(record);
  }

  /** The copy first: a first file that is gone means that it was lost. */
  async remove(): Promise<void> {
    for (const file of [this.#copy, this.#file]) await this.#files.remove(file);
    this.#become(undefined);
  }

  /** Calls back after each change; the returned function ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #look(file: string): Promise<Look> {
    try {
      const text = await this.#files.read(file);
      if (text === undefined) return { how: 'absent', record: undefined };
      const record = parse(text);
      return { how: record === undefined ? 'broken' : 'whole', record };
    } catch (error) {
      return { how: 'unreadable', record: undefined, error };
    }
  }

  async #store(record: NodeRecord): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`;
    for (const file of [this.#file, this.#copy]) await this.#files.replace(file, text, { mode: 0o600 });
  }

  #become(record: NodeRecord | undefined): void {
    const isSame = JSON.stringify(record) === JSON.stringify(this.#current);
    this.#current = record;
    if (isSame) return;
    for (const listener of this.#listeners) listener();
  }
}

/** What one of the two files turned out to be. */
type Look =
  | {
      readonly how: 'whole' | 'broken' | 'absent';
      readonly record: NodeRecord | undefined;
      readonly error?: never;
    }
  | { readonly how: 'unreadable'; readonly record: undefined; readonly error: unknown };

function fromDisk({
  version: _version,
  pauseImage,
  kubeedge,
  ...rest
}: v.InferOutput<typeof shape>): NodeRecord {
  return { ...rest, pauseImage, kubeedge };
}

function parse(text: string): NodeRecord | undefined {
  try {
    const parsed = v.safeParse(shape, JSON.parse(text));
    return parsed.success ? fromDisk(parsed.output) : undefined;
  } catch {
    return undefined;
  }
}
