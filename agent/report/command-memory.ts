import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';

/** A command older or newer than this is refused. */
export const commandWindowMs = 120_000;
/** Commands that are known one by one; a key's owner who sends more within the window has his oldest ones refused. */
const remembered = 64;

/**
 * Which commands were taken, over restarts of the agent and jumps of the clock: a command that was done once must not be
 * done again because the agent was started anew, or because a clock went back, and whoever overheard it may try for ever.
 * What is no longer known one by one is covered by the newest time among it.
 */
export class CommandMemory {
  readonly #files: Files;
  readonly #path: string;
  readonly #clock: Clock;
  /** Times by nonce. */
  #taken = new Map<string, number>();
  /** Commands of this time or an older one may have been taken; undefined until a damaged record is judged. */
  #floorMs: number | undefined = 0;
  #loading: Promise<void> | undefined;
  #queue: Promise<void> = Promise.resolve();

  constructor(files: Files, path: string, clock: Clock) {
    this.#files = files;
    this.#path = path;
    this.#clock = clock;
  }

  /** Reads what an earlier agent took; once. */
  load(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  /**
   * Reports whether a command of this nonce and time was, or may have been, taken. To be asked with a clock that is right:
   * where the record was damaged, everything that was good until then counts as taken.
   */
  knows(nonce: string, timeMs: number): boolean {
    this.#floorMs ??= this.#clock.wallMs() + commandWindowMs;
    return timeMs <= this.#floorMs || this.#taken.has(nonce);
  }

  /** Takes a command; it may be done once this has resolved. Rejects with FILE_FAILED where the disk refuses it. */
  take(nonce: string, timeMs: number): Promise<void> {
    this.#taken.set(nonce, timeMs);
    const oldestFirst = [...this.#taken].sort(([, a], [, b]) => a - b);
    for (const [old, oldMs] of oldestFirst.slice(0, -remembered)) {
      this.#taken.delete(old);
      this.#floorMs = Math.max(this.#floorMs ?? 0, oldMs);
    }
    const text = `${JSON.stringify({ version: 1, floorMs: this.#floorMs, taken: [...this.#taken] })}\n`;
    const written = this.#queue.then(() => this.#files.replace(this.#path, text, { mode: 0o600 }));
    this.#queue = written.catch(() => undefined);
    return written;
  }

  async #load(): Promise<void> {
    let text: string | undefined;
    try {
      text = await this.#files.read(this.#path);
    } catch {
      // It may be whole, so it stays where it is and is read again; until then everything so far counts as taken.
      this.#floorMs = undefined;
      this.#loading = undefined;
      return;
    }
    if (text === undefined) return;
    const found = parsed(text);
    if (found !== undefined) {
      this.#floorMs = found.floorMs;
      this.#taken = new Map(found.taken);
      return;
    }
    this.#floorMs = undefined;
    await this.#files.setAside(this.#path).catch(() => undefined);
  }
}

interface Taken {
  readonly floorMs: number;
  readonly taken: readonly (readonly [string, number])[];
}

function parsed(text: string): Taken | undefined {
  try {
    const { version, floorMs, taken } = JSON.parse(text) as Partial<Taken> & { readonly version?: unknown };
    if (version !== 1 || typeof floorMs !== 'number' || !Array.isArray(taken)) return undefined;
    const isWhole = taken.every(
      (entry: unknown) =>
        Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number',
    );
    return isWhole ? { floorMs, taken } : undefined;
  } catch {
    return undefined;
  }
}
