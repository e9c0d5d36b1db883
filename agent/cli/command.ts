import type { AgentClient } from '../api/client.ts';
import type { DoctorDocument, PlanDocument } from '../api/wire.ts';
import type { Clock } from '../core/clock.ts';
import type { Style } from './style.ts';

/** One row of the configuration reference. */
export interface ConfigKeyView {
  readonly key: string;
  readonly type: string;
  /** Values that are allowed, in words. */
  readonly allowed: string;
  readonly default: unknown;
  readonly applies: string;
  /** The same in words: what a changed value needs. */
  readonly needs: string;
  readonly help: string;
}

/** One thing that is wrong with a configuration file. */
export interface ConfigProblem {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

/** What the status page shows. */
export interface DashboardFeed {
  watch(listener: (message: unknown) => void, signal: AbortSignal): Promise<string>;
  samples(signal: AbortSignal): Promise<unknown>;
  ledger(signal: AbortSignal): Promise<unknown>;
}

/** A status page that is being served. */
export interface Dashboard {
  readonly address: string;
  stop(): Promise<void>;
}

/** What a command can do without the agent; wired in main, each part loaded when it is first used. */
export interface LocalTools {
  /** Text of a file, `-` for the standard input; FILE_FAILED where it cannot be read. */
  readFile(path: string): Promise<string>;
  /** A path as the agent understands it, which runs elsewhere. */
  absolutePath(path: string): string;
  /** Milliseconds since this process was made. */
  ageMs(): number;
  checkConfig(text: string): Promise<readonly ConfigProblem[]>;
  configKeys(): Promise<readonly ConfigKeyView[]>;
  defaultConfigFile(): Promise<string>;
  /** Serves the status page on the loopback interface of this machine. */
  serveDashboard?(page: string, port: number, source: DashboardFeed): Promise<Dashboard>;
  /** Looks at the board from this process; absent where this build cannot. */
  readonly doctor?: (signal: AbortSignal) => Promise<DoctorDocument>;
  /** What the ground work would change, found by this process. */
  readonly plan?: (signal: AbortSignal) => Promise<PlanDocument>;
  /** Writes what is known about the board into one archive, `-` for the standard output. */
  readonly supportBundle?: (
    order: { readonly documents: Readonly<Record<string, unknown>>; readonly output: string },
    signal: AbortSignal,
  ) => Promise<{ readonly output: string; readonly bytes: number; readonly files: readonly string[] }>;
}

/** Everything a command may touch. */
export interface CommandContext {
  readonly client: AgentClient;
  readonly clock: Clock;
  readonly local: LocalTools;
  /** Writes one line for the asker. */
  readonly out: (line: string) => void;
  /** Writes one line of complaint. */
  readonly err: (line: string) => void;
  readonly style: Style;
  /** Width to wrap at; infinite where the output is no terminal, so that grep sees whole lines. */
  readonly columns: number;
  readonly isTerminal: boolean;
  /** Local date and time of a wall-clock millisecond, `2025-01-31 13:05:09`. */
  readonly time: (ms: number) => string;
  /** Milliseconds of a written date, or undefined where it is none. */
  readonly instant: (text: string) => number | undefined;
  /** Aborts when the user presses Ctrl-C. */
  readonly signal: AbortSignal;
  readonly version: string;
}

/** What the user typed, taken apart by the parser but not yet checked. */
export interface CommandInput {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Does the command; resolves with the exit code: 0 yes or done, 1 answered no. Errors decide the other codes. */
export type Run = (ctx: CommandContext, input: CommandInput) => Promise<number>;

/** One option of a command, in commander's notation. */
export interface OptionSpec {
  readonly flags: string;
  readonly help: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** Whether it may be given several times; its value is then a list. */
  readonly isMany?: true;
}

/** One command as a record. Its code is loaded only when it is called. */
export interface CommandSpec {
  /** Words of the command, e.g. `config check`. */
  readonly name: string;
  /** Imperative, capital, no full stop, at most 60 characters. */
  readonly summary: string;
  /** Paragraphs below the summary. */
  readonly details?: string;
  /** Argument in commander's notation: `<unit>` or `[unit]`. */
  readonly argument?: { readonly shape: string; readonly help: string; readonly choices?: readonly string[] };
  readonly options?: readonly OptionSpec[];
  readonly load: () => Promise<{ readonly run: Run }>;
}
