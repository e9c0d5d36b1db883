import * as v from 'valibot';
import { messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';

const schema = v.object({
  version: v.literal(1),
  sums: v.record(v.string(), v.object({ stamp: v.string(), sha256: v.string() })),
});

type Sums = v.InferOutput<typeof schema>['sums'];

/** Sums that were read before, each with the stamp that its file had then: an unchanged file is not read again. */
export class KnownSums {
  readonly #files: Files;
  readonly #path: string;
  readonly #log: Log;
  #sums: Sums = {};
  #isChanged = false;

  constructor(files: Files, path: string, log: Log) {
    this.#files = files;
    this.#path = path;
    this.#log = log;
  }

  /** Takes what an earlier agent left; a broken file only costs the work of reading everything again. */
  async load(): Promise<void> {
    const text = await this.#files.read(this.#path).catch(() => undefined);
    if (text === undefined) return;
    try {
      this.#sums = v.parse(schema, JSON.parse(text)).sums;
    } catch (error) {
      this.#log.warn('parts.record.broken', { path: this.#path, message: messageOf(error) });
    }
  }

  /** The sum of a file, if it was read while the file had this stamp. */
  get(path: string, stamp: string): string | undefined {
    const known = this.#sums[path];
    return known?.stamp === stamp ? known.sha256 : undefined;
  }

  set(path: string, stamp: string, sha256: string): void {
    this.#sums = { ...this.#sums, [path]: { stamp, sha256 } };
    this.#isChanged = true;
  }

  /** Writes what is known of these paths, if anything is new; others are forgotten. */
  async save(paths: readonly string[]): Promise<void> {
    const kept = new Set(paths);
    const sums = Object.fromEntries(Object.entries(this.#sums).filter(([path]) => kept.has(path)));
    if (!this.#isChanged && Object.keys(sums).length === Object.keys(this.#sums).length) return;
    this.#sums = sums;
    this.#isChanged = false;
    await this.#files.replace(this.#path, JSON.stringify({ version: 1, sums }), { mode: 0o600 });
  }
}
