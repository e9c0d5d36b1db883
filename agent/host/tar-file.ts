import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { pack } from 'tar-stream';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { SupportEntry } from '../core/support-files.ts';
import { isOwnDescriptor } from './given-file.ts';

/** Writes texts as one tar archive that only its owner may read; `-` is the standard output. Returns its size in bytes; FILE_FAILED where it cannot be written. */
export async function writeTarFile(path: string, entries: readonly SupportEntry[]): Promise<number> {
  const archive = pack();
  const mtime = new Date();
  for (const { name, text } of entries) archive.entry({ name, mode: 0o600, mtime }, Buffer.from(text));
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  try {
    if (path === '-') await new Promise<void>((resolve) => process.stdout.write(bytes, () => resolve()));
    else if (isOwnDescriptor(path)) await writeFile(path, bytes);
    else await writePrivate(path, bytes);
    return bytes.length;
  } catch (error) {
    const why = errnoOf(error) ?? messageOf(error);
    throw new AgentError('FILE_FAILED', `Cannot write "${path}": ${why}; name another file with --output`, {
      cause: error,
    });
  }
}

/**
 * Nobody else may read it from the first byte on, also where the file was there before. In a directory that all may write to
 * such a file may be somebody's trap: a link could lead anywhere.
 */
async function writePrivate(path: string, bytes: Uint8Array): Promise<void> {
  const { O_WRONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is no ordinary file');
    if (found.uid !== process.geteuid?.() || found.nlink !== 1)
      throw new Error('it belongs to somebody else');
    await handle.chmod(0o600);
    await handle.truncate();
    await handle.writeFile(bytes);
  } finally {
    await handle.close();
  }
}
