import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  link,
  lstat,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  statfs,
  symlink,
  unlink,
} from 'node:fs/promises';
import path from 'node:path';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { PartDisk } from '../core/part-disk.ts';
import { fixFor } from './file-fix.ts';
import { makeDirectories, syncMade } from './make-directories.ts';
import { syncPath } from './sync-path.ts';

/** The store of parts on the machine's disk. Every failure is a FILE_FAILED that names the path and the errno word. */
export class HostPartDisk implements PartDisk {
  async freeBytes(place: string): Promise<number> {
    return this.#attempt('look at the room of', place, async () => {
      const { bavail, bsize } = await statfs(await existing(place));
      return bavail * bsize;
    });
  }

  async makeFolder(place: string): Promise<void> {
    await this.#attempt('make folder', place, async () => {
      const first = makeDirectories(place);
      if (first === undefined) return;
      for (let made = place; ; made = path.dirname(made)) {
        await chmod(made, 0o755);
        if (made === first) break;
      }
      await syncMade(place, first);
    });
  }

  async removeTree(place: string): Promise<void> {
    await this.#attempt('remove', place, async () => {
      await rm(place, { recursive: true, force: true });
      await syncPath(path.dirname(place)).catch(() => undefined);
    });
  }

  async syncFolder(place: string): Promise<void> {
    await this.#attempt('write to disk', place, () => syncTree(place));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#attempt('rename', from, async () => {
      await rename(from, to);
      await syncPath(path.dirname(to));
    });
  }

  async pointLink(place: string, target: string): Promise<void> {
    await this.#attempt('point', place, async () => {
      const fresh = `${place}.new`;
      await unlink(fresh).catch(() => undefined);
      await symlink(target, fresh);
      await rename(fresh, place);
      await syncPath(path.dirname(place));
    });
  }

  async linkTarget(place: string): Promise<string | undefined> {
    return this.#attempt('look at', place, () =>
      readlink(place).catch((error: unknown) => {
        if (['ENOENT', 'ENOTDIR', 'EINVAL'].includes(errnoOf(error) ?? '')) return undefined;
        throw error;
      }),
    );
  }

  async shareFile(from: string, to: string): Promise<void> {
    await this.#attempt('copy', from, async () => {
      await link(from, to).catch(() => copyFile(from, to));
    });
  }

  async sizeOf(place: string): Promise<number | undefined> {
    return this.#attempt('look at', place, async () => {
      const found = await lstat(place).catch((error: unknown) => {
        if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
        throw error;
      });
      return found?.isFile() === true ? found.size : undefined;
    });
  }

  async sumOf(place: string): Promise<string> {
    const content = await readFile(place).catch(() => undefined);
    return content === undefined ? '' : createHash('sha256').update(content).digest('hex');
  }

  async #attempt<T>(act: string, place: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const why = errnoOf(error) ?? messageOf(error);
      throw new AgentError('FILE_FAILED', `Cannot ${act} "${place}": ${why}${fixFor(why)}`, { cause: error });
    }
  }
}

/** The path itself, or the nearest folder above it that exists. */
async function existing(place: string): Promise<string> {
  for (let at = place; at !== '/'; at = path.dirname(at)) {
    const found = await lstat(at).catch(() => undefined);
    if (found !== undefined) return at;
  }
  return '/';
}

async function syncTree(place: string): Promise<void> {
  for (const entry of await readdir(place, { withFileTypes: true })) {
    const inner = path.join(place, entry.name);
    if (entry.isDirectory()) await syncTree(inner);
    else if (entry.isFile()) await syncPath(inner);
  }
  await syncPath(place);
}
