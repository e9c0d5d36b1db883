import { spawn } from 'node:child_process';
import { lstat, readlink } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { AgentError, errnoOf } from '../core/agent-error.ts';
import type { PathFacts, ProductFiles } from '../core/product-files.ts';

/** Lowest priority of the processor; without a class of its own a process's disk priority follows it (ioprio_set(2)). */
const lowest = 19;

/**
 * Files of the product on the machine. Sums come from a tool and not from here: reading some hundred megabytes would
 * cost the agent memory, and its answers would wait.
 */
export class HostProductFiles implements ProductFiles {
  readonly #busybox: string;

  constructor(busybox: string) {
    this.#busybox = busybox;
  }

  async facts(path: string): Promise<PathFacts | undefined> {
    try {
      const found = await lstat(path, { bigint: true });
      const kind = found.isFile()
        ? 'file'
        : found.isDirectory()
          ? 'directory'
          : found.isSymbolicLink()
            ? 'link'
            : 'other';
      const stamp = [found.size, found.ino, found.mtimeNs, found.ctimeNs].join(' ');
      const target = kind === 'link' ? await readlink(path) : '';
      return { kind, mode: Number(found.mode & 0o7777n), sizeBytes: Number(found.size), stamp, target };
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
      throw new AgentError('FILE_FAILED', `Cannot look at "${path}": ${errno ?? 'it failed'}`, {
        cause: error,
      });
    }
  }

  async sum(path: string, signal: AbortSignal): Promise<string> {
    const child = spawn(this.#busybox, ['sha256sum', path], {
      env: {},
      stdio: ['ignore', 'pipe', 'ignore'],
      signal,
      killSignal: 'SIGKILL',
    });
    const over = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(errnoOf(error) ?? error.message));
      child.once('close', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`));
    });
    if (child.pid !== undefined) yieldToOthers(child.pid);
    let text = '';
    // Without a free descriptor there is no pipe at all, whatever the types say.
    (child.stdout as typeof child.stdout | undefined)?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const end = await over;
    signal.throwIfAborted();
    const sum = /^[0-9a-f]{64}(?= )/.exec(text)?.[0];
    if (end === 'exit code 0' && sum !== undefined) return sum;
    throw new AgentError('TOOL_FAILED', `Cannot read the sum of "${path}": the tool ended with ${end}`);
  }
}

function yieldToOthers(pid: number): void {
  try {
    setPriority(pid, lowest);
  } catch {
    // It has ended already: a small file takes no time.
  }
}
