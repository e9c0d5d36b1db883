/** What came back from a short-lived tool. */
export interface CommandResult {
  /** Exit code; -1 where a signal or the deadline ended it. */
  readonly code: number;
  /** At most 1 MiB of each stream; the rest is dropped and `truncated` says so. */
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/** Options of one tool run. */
export interface CommandOptions {
  /** Milliseconds until SIGKILL. @default 10000 */
  readonly timeoutMs?: number;
  /** Text for its standard input; none by default. */
  readonly input?: string;
}

/**
 * Runs short-lived tools (busybox, iptables) by absolute path with an argv array: no shell, no PATH look-up, a small
 * fixed environment. A tool that cannot be started or ends by signal or deadline rejects with TOOL_FAILED; an exit code other than 0 does not.
 */
export interface Commands {
  run(argv: readonly [string, ...string[]], options?: CommandOptions): Promise<CommandResult>;
}
