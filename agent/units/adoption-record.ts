import { isAgentError } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { ProcessIdentity } from '../core/process.ts';

/** What a new agent must know to take a unit over: who the process is, and since when it runs. */
export interface AdoptionRecord {
  readonly identity: ProcessIdentity;
  /** Wall clock in milliseconds of the start. */
  readonly startedAtMs: number;
}

const version = 1;

/** Text of a record; the file says its version. */
export function encodeRecord(unit: string, record: AdoptionRecord): string {
  return `${JSON.stringify({ version, unit, ...record.identity, startedAtMs: record.startedAtMs })}\n`;
}

/** Reads a record back; undefined where the text is not one of this unit. */
export function decodeRecord(unit: string, text: string): AdoptionRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  return fields['version'] === version && fields['unit'] === unit ? recordFrom(fields) : undefined;
}

function recordFrom(fields: Readonly<Record<string, unknown>>): AdoptionRecord | undefined {
  const { pid, startTicks, bootId, exe, startedAtMs } = fields;
  if (!isCount(pid) || pid < 2 || !isCount(startTicks) || !isCount(startedAtMs)) return undefined;
  if (typeof bootId !== 'string' || bootId === '' || typeof exe !== 'string' || !exe.startsWith('/'))
    return undefined;
  return { identity: { pid, startTicks, bootId, exe }, startedAtMs };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Records of all units, one file each, replaced atomically. */
export class AdoptionRecords {
  readonly #files: Files;
  readonly #directory: string;

  constructor(files: Files, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /**
   * The record of a unit. A broken one is set aside, its new path given to `broken`, and reads as absent; one that cannot be
   * read just now may be whole, so it stays and FILE_FAILED is thrown.
   */
  async read(unit: string, broken: (path: string) => void): Promise<AdoptionRecord | undefined> {
    const path = this.#path(unit);
    const text = await this.#files.read(path).catch((error: unknown) => {
      if (isAgentError(error, 'TOO_LARGE')) return '';
      throw error;
    });
    if (text === undefined) return undefined;
    const record = decodeRecord(unit, text);
    if (record === undefined) {
      const aside = await this.#files.setAside(path);
      if (aside !== undefined) broken(aside);
    }
    return record;
  }

  async write(unit: string, record: AdoptionRecord): Promise<void> {
    await this.#files.makeDirectory(this.#directory, 0o700);
    await this.#files.replace(this.#path(unit), encodeRecord(unit, record), { mode: 0o600 });
  }

  async remove(unit: string): Promise<void> {
    await this.#files.remove(this.#path(unit));
  }

  #path(unit: string): string {
    return `${this.#directory}/${unit}.json`;
  }
}
