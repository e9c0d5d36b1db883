/** The board's files as far as a support bundle shows them. Nothing here fails: what cannot be read is absent. */
export interface SupportFiles {
  /** The newest whole lines of a file within `maxBytes`; undefined where it cannot be read. */
  newest(path: string, maxBytes: number): string | undefined;
  /** Text of a gzipped file; undefined where it cannot be read. */
  unpacked(path: string): string | undefined;
  /** Names in a directory, sorted. */
  names(path: string): readonly string[];
  /** Everything below a directory, one line each: mode, owner, size, time, path, and where a link leads. */
  listing(path: string): string;
  /** Every process, one line each: pid, parent, state, groups, mount namespace, command line. */
  processes(): string;
}

/** One file of a support bundle. */
export interface SupportEntry {
  /** Path in the archive. */
  readonly name: string;
  readonly text: string;
}
