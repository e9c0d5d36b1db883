import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { isRunning } from './processes.ts';

/** Options of `launch`. */
export interface LaunchOptions {
  /** Added to our environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a long-lived program in a session of its own; what it prints goes to `output.txt` in the folder. */
export function launch(
  dir: string,
  argv: readonly [string, ...string[]],
  options: LaunchOptions = {},
): ChildProcess {
  const [program, ...args] = argv;
  const output = openSync(path.join(dir, 'output.txt'), 'a');
  const child = spawn(program, args, {
    cwd: dir,
    detached: true,
    stdio: ['ignore', output, output],
    env: environment(options.env),
  });
  closeSync(output);
  child.on('error', () => undefined);
  return child;
}

/** Our environment without what npm and tsx put there, so that a program runs as from a plain shell. */
export function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !/^(npm_|NODE_|TSX_|INIT_CWD)/.test(key));
  return { ...Object.fromEntries(kept), ...extra };
}

/** Runs a command to its end and resolves with its exit status and what it printed. */
export async function runToEnd(
  argv: readonly [string, ...string[]],
  options: LaunchOptions & { readonly cwd?: string } = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(options.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    let text = '';
    const collect = (chunk: Buffer): void => {
      text += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', reject);
    child.on('close', (status) => resolve({ status: status ?? 1, text }));
  });
}

/** Sends a signal and waits until the process is gone; after `graceMs` it is killed. */
export async function end(pid: number, signal: NodeJS.Signals, graceMs = 5_000): Promise<void> {
  for (const [step, waitMs] of [
    [signal, graceMs],
    ['SIGKILL', 2_000],
  ] as const) {
    try {
      process.kill(pid, step);
    } catch {
      return;
    }
    if (await eventually(() => !isRunning(pid), waitMs)) return;
  }
}

/** Looks every `everyMs` whether something has become true; false when it has not in time. */
export async function eventually(
  check: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 10,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (await check()) return true;
    await pause(everyMs);
  }
  return false;
}

/** Waits; a benchmark has to let time pass. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
