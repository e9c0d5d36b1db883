import { chmod, copyFile, lchown, lutimes, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf } from '../../agent/core/agent-error.ts';
import { makeDirectories } from '../../agent/host/make-directories.ts';
import { directory, mergeTrees, type TreeEntry } from './tree.ts';

/** How a tree is laid out in a folder. */
export interface FolderLook {
  /** Seconds since 1970 that every path gets. */
  readonly epoch: number;
  /** Whether owners are set as well; only root may. */
  readonly hasOwners: boolean;
}

/** Makes an empty folder, or refuses one that holds something already. */
export async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot write to "${folder}": ${errnoOf(error) ?? 'failed'}; name a folder`,
      {
        cause: error,
      },
    );
  });
  if (names.length > 0) {
    throw new AgentError('INPUT_INVALID', `Cannot write to "${folder}": it is not empty; name a new folder`);
  }
  makeDirectories(folder);
}

/**
 * Copies a tree below a folder with modes and times, and with owners where wanted; sources stay untouched. Folders on the
 * way that the tree does not name get a mode as well: one from the umask would shut the board out of its own /system.
 */
export async function writeFolder(
  tree: readonly TreeEntry[],
  folder: string,
  look: FolderLook,
): Promise<void> {
  const entries = [directory('/'), ...mergeTrees(tree)];
  for (const entry of entries) {
    const target = path.join(folder, entry.path);
    if (entry.kind === 'directory') await mkdir(target, { recursive: true });
    else if (entry.kind === 'link') await symlink(entry.target, target);
    else if (entry.kind === 'text') await writeFile(target, entry.content);
    else await copyFile(entry.source, target);
  }
  // Children first: writing into a folder changes its time, and a narrow mode might keep us out.
  for (const entry of [...entries].reverse()) {
    const target = path.join(folder, entry.path);
    if (look.hasOwners) await lchown(target, entry.uid, entry.gid);
    if (entry.kind !== 'link') await chmod(target, entry.mode);
    await lutimes(target, look.epoch, look.epoch);
  }
}
