import { AgentError } from '../../agent/core/agent-error.ts';
import type { CommandResult, Commands } from '../../agent/core/commands.ts';

/** Tools by their whole command line; one that nobody put there cannot be started. */
export class FakeCommands implements Commands {
  readonly outputs = new Map<string, string>();
  /** Complaints of tools that end with status 1, by their whole command line. */
  readonly complaints = new Map<string, string>();
  readonly calls: string[] = [];

  run(argv: readonly [string, ...string[]]): Promise<CommandResult> {
    const line = argv.join(' ');
    this.calls.push(line);
    const stderr = this.complaints.get(line);
    if (stderr !== undefined) return Promise.resolve({ code: 1, stdout: '', stderr, truncated: false });
    const stdout = this.outputs.get(line);
    if (stdout === undefined) return Promise.reject(new AgentError('TOOL_FAILED', `Cannot run "${line}"`));
    return Promise.resolve({ code: 0, stdout, stderr: '', truncated: false });
  }
}
