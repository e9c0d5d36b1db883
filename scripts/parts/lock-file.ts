import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { AgentError, errnoOf, messageOf } from '../../agent/core/agent-error.ts';

const sum = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const size = v.pipe(v.number(), v.integer(), v.minValue(0));

const fileSchema = v.strictObject({ sha256: sum, size });

const recordSchema = v.strictObject({
  url: v.nullable(v.string()),
  sha256: sum,
  size,
  /** What vouches for the sum: the manifest, its maker's published sum, nothing but the first download, or its giver. */
  vouchedBy: v.picklist(['manifest', 'maker', 'first-use', 'hand']),
});

const installedSchema = v.strictObject({
  version: v.string(),
  /** Sum of the file or archive that it came from; null for a folder that was handed in. */
  source: v.nullable(sum),
  vouchedBy: v.picklist(['manifest', 'maker', 'first-use', 'hand']),
  files: v.record(v.string(), fileSchema),
});

const lockSchema = v.strictObject({
  version: v.literal(1),
  /** Every download ever taken, by `name@version`: what comes later must be the same. */
  seen: v.record(v.string(), recordSchema),
  /** What lies in the store now, by name. */
  installed: v.record(v.string(), installedSchema),
});

export type SeenRecord = v.InferOutput<typeof recordSchema>;
export type InstalledPart = v.InferOutput<typeof installedSchema>;
export type Lock = v.InferOutput<typeof lockSchema>;

/** Name of the lock file in a store of parts. */
export const lockName = 'parts.lock.json';

/** Reads the lock file of a store; a store without one is empty, a broken one is an error. */
export async function readLock(store: string): Promise<Lock> {
  const file = path.join(store, lockName);
  try {
    return v.parse(lockSchema, JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { version: 1, seen: {}, installed: {} };
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot read "${file}": ${messageOf(error)}; restore it or fetch into a fresh folder`,
      { cause: error },
    );
  }
}

/** Writes the lock file whole or not at all, with keys in order so that two runs give the same bytes. */
export async function writeLock(store: string, lock: Lock): Promise<void> {
  const file = path.join(store, lockName);
  const draft = `${file}.${process.pid}`;
  const ordered: Lock = { version: 1, seen: byKey(lock.seen), installed: byKey(lock.installed) };
  try {
    await writeFile(draft, `${JSON.stringify(ordered, null, 2)}\n`);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

function byKey<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
