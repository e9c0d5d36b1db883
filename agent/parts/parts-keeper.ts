import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { ProductFiles } from '../core/product-files.ts';
import type { HealthBoard } from '../health/board.ts';
import { type ContentEntry, parseContentManifest } from './content-manifest.ts';
import { findDifference } from './find-difference.ts';
import { KnownSums } from './known-sums.ts';

/** What the verification works with. */
export interface PartsOptions {
  readonly clock: Clock;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly files: Files;
  readonly product: ProductFiles;
  /** Content manifest of the product; where it is absent nothing was delivered that could be compared. */
  readonly manifest: string;
  /** File that remembers the sums of unchanged files. */
  readonly record: string;
}

/** The start of dockerd and edgecore goes first. */
const settleMs = 60_000;
/** A later look reads only what changed since. */
const againMs = 3_600_000;
const namedAtMost = 4;
const fix = 'Install the product again; a program that lost its mode is missing in the dac.txt of the image';

/**
 * Compares the product on the board with its content manifest and sets PartsVerified: a file cut short by a broken
 * update, a worn flash cell or a forgotten mode shows up by its name, before anybody wonders about dockerd. No
 * protection against people: whoever can change the programs can change the manifest.
 */
export class PartsKeeper {
  readonly #options: PartsOptions;
  readonly #known: KnownSums;
  #work: Promise<void> = Promise.resolve();

  constructor(options: PartsOptions) {
    this.#options = options;
    this.#known = new KnownSums(options.files, options.record, options.log);
  }

  /** Begins to look, now and then, until the signal aborts; returns at once. */
  start(signal: AbortSignal): void {
    this.#work = this.#run(signal).catch((error: unknown) => {
      if (!isAbort(error)) this.#options.log.error('parts.failed', { error });
    });
  }

  /** Resolves when the work has ended; the signal of `start` ends it. */
  async stop(): Promise<void> {
    await this.#work;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, files, manifest, log } = this.#options;
    await clock.sleep(settleMs, signal);
    if ((await files.read(manifest).catch(() => '')) === undefined) {
      log.info('parts.no-manifest', { manifest });
      return;
    }
    await this.#known.load();
    for (;;) {
      await this.#look(signal);
      await clock.sleep(againMs, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { board, files, manifest } = this.#options;
    try {
      const entries = parseContentManifest((await files.read(manifest)) ?? '');
      const differences = await this.#compare(entries, signal);
      this.#report(entries.length, differences);
      await this.#known.save(entries.map(({ path }) => path));
    } catch (error) {
      if (isAbort(error)) throw error;
      const message = `${messageOf(error)}. ${fix}`;
      board.set('PartsVerified', 'unknown', { reason: 'CannotLook', message });
    }
  }

  async #compare(entries: readonly ContentEntry[], signal: AbortSignal): Promise<string[]> {
    const differences: string[] = [];
    for (const entry of entries) {
      const difference = await this.#differenceOf(entry, signal);
      if (difference !== undefined) differences.push(`${entry.path} ${difference}`);
    }
    return differences;
  }

  async #differenceOf(entry: ContentEntry, signal: AbortSignal): Promise<string | undefined> {
    const { product } = this.#options;
    const found = await product.facts(entry.path);
    const difference = findDifference(entry, found);
    if (difference !== undefined || found === undefined || entry.type !== 'file') return difference;
    const known = this.#known.get(entry.path, found.stamp);
    const sum = known ?? (await product.sum(entry.path, signal));
    if (known === undefined) this.#known.set(entry.path, found.stamp, sum);
    return sum === entry.sha256 ? undefined : 'has other content';
  }

  #report(count: number, differences: readonly string[]): void {
    const { board, log } = this.#options;
    if (differences.length === 0) {
      const message = `All ${count} files are as they were delivered`;
      board.set('PartsVerified', 'true', { reason: 'Verified', message });
      return;
    }
    const more = differences.length - namedAtMost;
    const named = differences.slice(0, namedAtMost).join('; ') + (more > 0 ? `; and ${more} more` : '');
    const message = `${differences.length} of ${count} files differ from what was delivered: ${named}. ${fix}`;
    if (board.get('PartsVerified')?.message !== message) log.warn('parts.differ', { differences });
    board.set('PartsVerified', 'false', { reason: 'FilesDiffer', message });
  }
}
