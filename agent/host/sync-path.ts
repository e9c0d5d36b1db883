import { open } from 'node:fs/promises';

/** Puts a file's bytes, or the names in a directory, on the disk: a rename survives a power cut only with its directory. */
export async function syncPath(place: string): Promise<void> {
  const handle = await open(place, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
