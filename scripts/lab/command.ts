import { spawn } from 'node:child_process';
import { AgentError } from '../../agent/core/agent-error.ts';

/** How a program is run on the build host. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Given to the program's standard input. */
  readonly input?: string;
  /** Called for every line of output while the program runs. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program and returns its standard output; throws TOOL_FAILED with the end of its output when it fails. */
export async function runCommand(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, LC_ALL: 'C', ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let all = '';
  const take = (text: string): void => {
    all += text;
    for (const line of text.split('\n')) if (line.trim() !== '') options.onLine?.(line.trimEnd());
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    take(text);
  });
  child.stderr?.setEncoding('utf8').on('data', take);
  child.stdin?.end(options.input);
  const status = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`${error.message}; install the Debian package that brings it`));
    child.on('close', (code, signal) => resolve(code === 0 ? '' : (signal ?? `exit status ${code}`)));
  });
  if (status === '') return out;
  const tail = all.trimEnd().split('\n').slice(-12).join('\n');
  throw new AgentError('TOOL_FAILED', `Cannot run "${[program, ...args].join(' ')}": ${status}\n${tail}`);
}
