import { AgentError, messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { ObservedGround } from '../core/ground-observed.ts';
import type { GroundStep } from '../core/ground-step.ts';
import { egressOffset } from './route-plan.ts';

/** What must be known to take everything back that is not gone by itself with our mount namespace. Holds for one boot. */
export interface GroundRecord {
  /** Switches as they were before we touched them, by name. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Mounts that we made in the namespace of the whole system, in order. */
  readonly mounts: readonly string[];
  /** First priorities of the ranges that our rules were put into. */
  readonly priorities: readonly number[];
}

/** Nothing was done yet. */
export const emptyRecord: GroundRecord = { sysctls: {}, mounts: [], priorities: [] };

/** The record with a step that is about to be done; the same object where there is nothing to remember. */
export function remember(record: GroundRecord, step: GroundStep, observed: ObservedGround): GroundRecord {
  switch (step.kind) {
    case 'write-sysctl': {
      const before = observed.sysctls[step.name];
      if (before === undefined || Object.hasOwn(record.sysctls, step.name)) return record;
      return { ...record, sysctls: { ...record.sysctls, [step.name]: before } };
    }
    case 'mount':
    case 'bind':
      if (observed.namespace.own !== observed.namespace.init || record.mounts.includes(step.target))
        return record;
      return { ...record, mounts: [...record.mounts, step.target] };
    case 'add-rule': {
      const first = step.words[0] === 'iif' ? step.priority - egressOffset : step.priority;
      return record.priorities.includes(first)
        ? record
        : { ...record, priorities: [...record.priorities, first] };
    }
    default:
      return record;
  }
}

/** Keeps the record on disk, written before the step that it is about. */
export class RecordKeeper {
  readonly #files: Files;
  readonly #path: string;
  #bootId = '';
  #record = emptyRecord;
  #trouble: unknown;
  /** Whether the disk has not taken what is known: it is tried again at each look. */
  #isOwed = false;

  constructor(files: Files, path: string) {
    this.#files = files;
    this.#path = path;
  }

  /**
   * The record of this boot; an earlier boot's is worth nothing, and so is a broken one. One that cannot be read just now is
   * read again at the next look and not written over: what it says of the board as it was is nowhere else.
   */
  async load(bootId: string): Promise<GroundRecord> {
    if (this.#bootId === bootId) {
      if (this.#isOwed) await this.#save(this.#record).catch(() => undefined);
      return this.#record;
    }
    try {
      this.#record = parse(await this.#files.read(this.#path), bootId) ?? emptyRecord;
      this.#bootId = bootId;
    } catch (error) {
      this.#trouble = error;
      return emptyRecord;
    }
    this.#trouble = undefined;
    return this.#record;
  }

  /** Resolves once it is on disk; does nothing where nothing is new. */
  async note(step: GroundStep, observed: ObservedGround): Promise<void> {
    if (this.#trouble !== undefined)
      throw new AgentError('FILE_FAILED', `The record cannot be kept: ${messageOf(this.#trouble)}`);
    const next = remember(this.#record, step, observed);
    if (next !== this.#record) await this.#save(next);
  }

  /** Forgets everything, after it was taken back. */
  async clear(): Promise<void> {
    if (this.#record !== emptyRecord) await this.#save(emptyRecord);
  }

  async #save(record: GroundRecord): Promise<void> {
    this.#record = record;
    this.#isOwed = true;
    const text = `${JSON.stringify({ version: 1, bootId: this.#bootId, ...record })}\n`;
    await this.#files.replace(this.#path, text, { mode: 0o600 });
    this.#isOwed = false;
  }
}

function parse(text: string | undefined, bootId: string): GroundRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<GroundRecord> & {
      readonly version?: unknown;
      readonly bootId?: unknown;
    };
    if (value.version !== 1 || value.bootId !== bootId) return undefined;
    const { sysctls, mounts, priorities } = value;
    if (typeof sysctls !== 'object' || !isList(mounts, 'string') || !isList(priorities, 'number'))
      return undefined;
    const pairs = Object.entries(sysctls).filter(([, before]) => typeof before === 'string');
    return { sysctls: Object.fromEntries(pairs), mounts, priorities };
  } catch {
    return undefined;
  }
}

function isList<T extends 'string' | 'number'>(
  value: unknown,
  type: T,
): value is (T extends 'string' ? string : number)[] {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
