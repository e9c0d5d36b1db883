import { spawn } from 'node:child_process';
import { AgentError, errnoOf } from '../core/agent-error.ts';
import type { CommandOptions, CommandResult, Commands } from '../core/commands.ts';

const maxStreamBytes = 1_048_576;
const defaultTimeoutMs = 10_000;
/** Milliseconds that a killed tool gets to go: the kernel may hold it for as long as a disk or a driver hangs (state D). */
const goMs = 2_000;

/**
 * Runs tools as children of the agent, each in a process group of its own that the deadline kills as a whole. One that the
 * kernel does not let go keeps nobody waiting, and is not started a second time beside itself.
 */
export class ToolRunner implements Commands {
  readonly #env: Readonly<Record<string, string>>;
  readonly #kill: (group: number) => void;
  /** Process numbers of those that did not go, by what was run. */
  readonly #stuck = new Map<string, number | undefined>();

  /** `env` is the whole environment of every tool; `kill` ends a group of processes, as far as the kernel lets it. */
  constructor(env: Readonly<Record<string, string>>, kill: (group: number) => void = killGroup) {
    this.#env = env;
    this.#kill = kill;
  }

  run(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
    const [file, ...args] = argv;
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const name = argv.slice(0, 3).join(' ');
    const key = argv.join('\0');
    if (this.#stuck.has(key)) return Promise.reject(heldByKernel(name, this.#stuck.get(key)));
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        env: this.#env,
        cwd: '/',
        stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        detached: true,
      });
      const stdout = gather(child.stdout);
      const stderr = gather(child.stderr);
      let isLate = false;
      let timer = setTimeout(() => {
        isLate = true;
        if (child.pid !== undefined) this.#kill(child.pid);
        for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
        timer = setTimeout(() => {
          this.#stuck.set(key, child.pid);
          child.unref();
          reject(heldByKernel(name, child.pid));
        }, goMs);
      }, timeoutMs);
      child.once('error', (error) => {
        clearTimeout(timer);
        reject(toolFailed(name, `cannot be started: ${errnoOf(error) ?? error.message}`, error));
      });
      child.once('close', (code, signal) => {
        clearTimeout(timer);
        this.#stuck.delete(key);
        if (isLate) {
          const text = `Cannot run "${name}": it did not end within ${timeoutMs} ms and was killed`;
          reject(new AgentError('TIMED_OUT', text));
        } else if (code === null) reject(toolFailed(name, `was ended by ${signal}`));
        else {
          const truncated = stdout.isTruncated || stderr.isTruncated;
          resolve({ code, stdout: stdout.text(), stderr: stderr.text(), truncated });
        }
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input);
    });
  }
}

function toolFailed(name: string, what: string, cause?: unknown): AgentError {
  return new AgentError('TOOL_FAILED', `Cannot run "${name}": it ${what}`, { cause });
}

function heldByKernel(name: string, pid: number | undefined): AgentError {
  const text = `Cannot run "${name}": process ${pid ?? '?'} did not end in time and the kernel does not let go of it; a disk or a driver may hang, see state D in \`ps\``;
  return new AgentError('TIMED_OUT', text);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended between the deadline and the signal.
  }
}

interface Gathered {
  isTruncated: boolean;
  text(): string;
}

function gather(stream: NodeJS.ReadableStream | null): Gathered {
  const chunks: Buffer[] = [];
  let room = maxStreamBytes;
  const gathered: Gathered = { isTruncated: false, text: () => Buffer.concat(chunks).toString('utf8') };
  stream?.on('data', (chunk: Buffer) => {
    if (chunk.length > room) gathered.isTruncated = true;
    if (room > 0) chunks.push(chunk.subarray(0, room));
    room = Math.max(0, room - chunk.length);
  });
  return gathered;
}
