/** What stands at a path, without following a link there. */
export interface PathFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Changes whenever content or attributes of the path do: size, inode and both times in one text. */
  readonly stamp: string;
  /** Where a link leads; empty for everything else. */
  readonly target: string;
}

/** Looks at files too large to be read into the agent. Paths are absolute. */
export interface ProductFiles {
  /** Undefined where nothing is there. */
  facts(path: string): Promise<PathFacts | undefined>;
  /** SHA-256 in lower-case hex, read outside the agent and behind everybody else; ends early when the signal aborts. */
  sum(path: string, signal: AbortSignal): Promise<string>;
}
