import type { UnitSet } from '../unit-set.ts';

/** A command that a person would type, with the environment that it needs besides ours. */
export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** A supervisor at work. */
export interface Running {
  /** Processes that do the supervising; those supervised are not among them. */
  supervisors(): readonly number[];
  /** Asks it how its units are. */
  readonly statusCommand?: Command;
  /** Folder or file prefix where it writes what the units print. */
  readonly logDir?: string;
  /** Ends it and its units. */
  stop(): Promise<void>;
}

/** A supervisor that can be put beside the agent. */
export interface Subject {
  readonly name: string;
  /** Whether it writes down what its units print. */
  readonly isCapturing: boolean;
  /** Starts it in an empty folder; returns as soon as its process runs, which may be before the units do. */
  start(dir: string, units: UnitSet): Promise<Running>;
}
