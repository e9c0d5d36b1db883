import { writeFile } from 'node:fs/promises';
import { pack } from 'tar-stream';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { SupportEntry } from '../core/support-files.ts';
import { checkTarget } from './given-file.ts';

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
    else {
      await checkTarget(path);
      await writeFile(path, bytes, { mode: 0o600 });
    }
    return bytes.length;
  } catch (error) {
    const why = errnoOf(error) ?? messageOf(error);
    throw new AgentError('FILE_FAILED', `Cannot write "${path}": ${why}; name another file with --output`, {
      cause: error,
    });
  }
}
