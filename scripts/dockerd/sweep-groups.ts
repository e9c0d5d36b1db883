import { readdirSync, rmdirSync } from 'node:fs';
import path from 'node:path';

const root = '/sys/fs/cgroup';

/**
 * Takes away the empty groups that a dockerd in namespaces of its own has left: hierarchies of cgroup version 1 are one for
 * the whole machine. A group with anything in it stays, whoever made it.
 */
export function sweepGroups(): void {
  for (const hierarchy of names(root)) {
    const groups = path.join(root, hierarchy, 'docker');
    for (const name of names(groups)) remove(path.join(groups, name));
    remove(groups);
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function remove(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // In use, or not there.
  }
}
