import { spawn } from 'node:child_process';
import { AgentError, errnoOf } from '../core/agent-error.ts';
import type { CommandOptions, CommandResult, Commands } from '../core/commands.ts';

const maxStreamBytes = 1_048_576;
const defaultTimeoutMs = 10_000;

/** Runs tools as children of the agent, each in a process group of its own that the deadline kills as a whole. */
export class ToolRunner implements Commands {
  readonly #env: Readonly<Record<string, string>>;

  /** `env` is the whole environment of every tool. */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  run(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<CommandResult> {
    const [file, ...args] = argv;
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const name = argv.slice(0, 3).join(' ');
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
      const timer = setTimeout(() => {
        isLate = true;
        killGroup(child.pid);
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, timeoutMs);
      child.once('error', (error) => {
        clearTimeout(timer);
        reject(toolFailed(name, `cannot be started: ${errnoOf(error) ?? error.message}`, error));
      });
      child.once('close', (code, signal) => {
        clearTimeout(timer);
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

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
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
