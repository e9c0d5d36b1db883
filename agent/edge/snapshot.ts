import type { Files } from '../core/files.ts';

/** Text of each file at one moment; undefined where there was none. */
export type Snapshot = ReadonlyMap<string, string | undefined>;

/** Remembers small files, so that a join that fails leaves everything as it was. */
export async function takeSnapshot(files: Files, paths: readonly string[]): Promise<Snapshot> {
  const entries = await Promise.all(paths.map(async (path) => [path, await files.read(path)] as const));
  return new Map(entries);
}

/**
 * Puts the files back as they were. All of them are private, whatever mode they had. What is as it was is not written, and
 * one that cannot be put back keeps nobody from the others; rejects with the first failure then.
 */
export async function restoreSnapshot(files: Files, snapshot: Snapshot): Promise<void> {
  const failures: unknown[] = [];
  for (const [path, text] of snapshot) {
    try {
      if (text === undefined) await files.remove(path);
      else if ((await files.read(path).catch(() => undefined)) !== text)
        await files.replace(path, text, { mode: 0o600 });
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
