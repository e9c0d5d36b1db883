import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';

/** Files above this size are told apart by size and time instead of content, in bytes. */
const hashWholeLimit = 16 * 1024 * 1024;

/** How many makings of one name are kept: the two root strategies, and what was before the last change. */
const keptMakings = 4;

/** Identifies a file's content well enough to know when what was made from it is stale. */
export async function fileKey(file: string): Promise<string> {
  const info = await stat(file);
  if (info.size > hashWholeLimit) return `${file} ${info.size} ${info.mtimeMs}`;
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

/** A short name for any number of texts. */
export function textKey(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:${text}`);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Makes `folder/<name>-<key>` once and returns its path. `make` fills a folder beside it that is renamed when whole, so a
 * broken run leaves nothing that looks finished; older makings of the same name go when a new one is there.
 */
export async function makeOnce(
  folder: string,
  name: string,
  key: string,
  make: (into: string) => Promise<void>,
): Promise<string> {
  const done = path.join(folder, `${name}-${key}`);
  const now = new Date();
  if (
    await utimes(done, now, now).then(
      () => true,
      () => false,
    )
  )
    return done;
  const draft = path.join(folder, `.${name}-${key}.${process.pid}`);
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await make(draft);
    await rename(draft, done);
    await removeOld(folder, name);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (await exists(done)) return done;
    throw error;
  }
  return done;
}

/** Keeps the makings used last; a board that still runs from an older one holds its files open. */
async function removeOld(folder: string, name: string): Promise<void> {
  const pattern = new RegExp(`^${name}-[0-9a-f.]+$`);
  const names = (await readdir(folder)).filter((entry) => pattern.test(entry));
  const dated = await Promise.all(
    names.map(async (entry) => ({ entry, used: (await stat(path.join(folder, entry))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.used - a.used).slice(keptMakings);
  for (const { entry } of old) await rm(path.join(folder, entry), { recursive: true, force: true });
}

/** Reports whether something is at the path. */
export async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
