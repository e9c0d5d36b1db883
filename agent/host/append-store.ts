import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { AppendFiles } from '../core/append-files.ts';
import { fixFor } from './file-fix.ts';
import { syncPath } from './sync-path.ts';

/** Appends to files of the machine; see the port for what it promises. One append for a path at a time. */
export class AppendStore implements AppendFiles {
  async append(file: string, text: string): Promise<void> {
    try {
      const handle = await open(file, 'a', 0o600);
      try {
        await appendWhole(handle, file, Buffer.from(text));
      } finally {
        await handle.close();
      }
    } catch (error) {
      const why = errnoOf(error) ?? messageOf(error);
      throw new AgentError('FILE_FAILED', `Cannot append to "${file}": ${why}${fixFor(why)}`, {
        cause: error,
      });
    }
  }
}

async function appendWhole(handle: FileHandle, file: string, bytes: Buffer): Promise<void> {
  const { size } = await handle.stat();
  try {
    let done = 0;
    while (done < bytes.length) done += (await handle.write(bytes, done)).bytesWritten;
    await handle.datasync();
  } catch (error) {
    await handle.truncate(size).catch(() => undefined);
    throw error;
  }
  // A new name must survive the power cut as well as its content.
  if (size === 0) await syncPath(path.dirname(file));
}
