import * as v from 'valibot';
import type { Files } from '../core/files.ts';
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

/** Keeps the record, on disk and at hand. */
export class NodeRecords {
  readonly #files: Files;
  readonly #file: string;
  readonly #listeners = new Set<() => void>();
  #current: NodeRecord | undefined;

  constructor(files: Files, stateDir: string) {
    this.#files = files;
    this.#file = `${stateDir}/node.json`;
  }

  /** The record as last read or written; undefined where the board has joined nothing. */
  get current(): NodeRecord | undefined {
    return this.#current;
  }

  /** Reads the record from disk. A broken file is set aside and counts as none. */
  async read(): Promise<NodeRecord | undefined> {
    const text = await this.#files.read(this.#file);
    const parsed = text === undefined ? undefined : v.safeParse(shape, parseJson(text));
    if (parsed?.success === false) await this.#files.setAside(this.#file);
    this.#become(parsed?.success === true ? fromDisk(parsed.output) : undefined);
    return this.#current;
  }

  async write(record: NodeRecord): Promise<void> {
    const text = `${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`;
    await this.#files.replace(this.#file, text, { mode: 0o600 });
    this.#become(record);
  }

  async remove(): Promise<void> {
    await this.#files.remove(this.#file);
    this.#become(undefined);
  }

  /** Calls back after each change; the returned function ends it. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #become(record: NodeRecord | undefined): void {
    const isSame = JSON.stringify(record) === JSON.stringify(this.#current);
    this.#current = record;
    if (isSame) return;
    for (const listener of this.#listeners) listener();
  }
}

function fromDisk({
  version: _version,
  pauseImage,
  kubeedge,
  ...rest
}: v.InferOutput<typeof shape>): NodeRecord {
  return { ...rest, pauseImage, kubeedge };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
