import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../core/agent-error.ts';
import { syncPath } from './sync-path.ts';

/**
 * Makes a directory and its parents; returns the first one that was made. Not by Node's own `recursive`, which never comes
 * back where a directory takes none, as below /proc: it answers ENOENT by making the parent, which is there, for ever
 * (nodejs/node src/node_file.cc MKDirpSync).
 */
export function makeDirectories(place: string, mode = 0o755): string | undefined {
  try {
    mkdirSync(place, mode);
    return place;
  } catch (error) {
    if (isDirectory(place)) return undefined;
    const above = path.dirname(place);
    if (errnoOf(error) !== 'ENOENT' || isDirectory(above)) throw error;
    const first = makeDirectories(above, mode);
    mkdirSync(place, mode);
    return first;
  }
}

/** Brings the names of new directories to the disk: all from `place` up to the first one that was made. */
export async function syncMade(place: string, first: string | undefined): Promise<void> {
  if (first === undefined) return;
  for (let made = place; ; made = path.dirname(made)) {
    await syncPath(path.dirname(made));
    if (made === first) return;
  }
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
}
