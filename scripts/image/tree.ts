import { cp, link, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

interface Owned {
  /** Absolute path on the board. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One path of an image: a tree is data, so that it can be checked, hashed, and written to a folder, a disk or an archive. */
export type TreeEntry =
  | (Owned & { readonly kind: 'directory' })
  | (Owned & { readonly kind: 'file'; readonly source: string })
  | (Owned & { readonly kind: 'text'; readonly content: string })
  | (Owned & { readonly kind: 'link'; readonly target: string });

/** Owner and mode where nothing else is said; the ids are OpenHarmony's root and shell. */
const root = { uid: 0, gid: 0 };

/** A directory of root. */
export function directory(target: string, mode = 0o755): TreeEntry {
  return { kind: 'directory', path: target, mode, ...root };
}

/** A file of root whose content comes from the build host. */
export function file(target: string, source: string, mode = 0o644): TreeEntry {
  return { kind: 'file', path: target, source, mode, ...root };
}

/** A file of root with the given content. */
export function text(target: string, content: string, mode = 0o644): TreeEntry {
  return { kind: 'text', path: target, content, mode, ...root };
}

/** A symbolic link. */
export function symbolicLink(target: string, to: string): TreeEntry {
  return { kind: 'link', path: target, target: to, mode: 0o777, ...root };
}

/**
 * One tree out of several: parents that no entry names are added as directories, parents come before children, and of
 * two entries for one path the later one counts.
 */
export function mergeTrees(...trees: readonly (readonly TreeEntry[])[]): TreeEntry[] {
  const byPath = new Map<string, TreeEntry>();
  for (const entry of trees.flat()) {
    for (let parent = path.dirname(entry.path); parent !== '/'; parent = path.dirname(parent)) {
      if (!byPath.has(parent)) byPath.set(parent, directory(parent));
    }
    byPath.set(entry.path, entry);
  }
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Writes the content of a tree below a folder; modes and owners are left to whoever packs the folder. */
export async function writeTree(entries: readonly TreeEntry[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const entry of entries) {
    const target = path.join(folder, entry.path);
    if (entry.kind === 'directory') await mkdir(target, { recursive: true });
    else if (entry.kind === 'link') await symlink(entry.target, target);
    else if (entry.kind === 'text') await writeFile(target, entry.content);
    else await linkOrCopy(entry.source, target);
  }
}

/** A second name costs nothing, but only works within one file system and for one's own files. */
async function linkOrCopy(source: string, target: string): Promise<void> {
  const real = await realpath(source);
  await link(real, target).catch(async () => cp(real, target));
}
