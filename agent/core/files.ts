/** How `Files.replace` writes. */
export interface ReplaceOptions {
  /** Permission bits of the new file, e.g. 0o600 for secrets. @default 0o644 */
  readonly mode?: number;
}

/** The few file operations that rooms need, as a port. Paths are absolute. */
export interface Files {
  /** Text of a file; undefined where it does not exist (absent is not broken). Refuses more than `maxBytes` (default 1 MiB) with TOO_LARGE. */
  read(path: string, maxBytes?: number): Promise<string | undefined>;
  /** Replaces a file so that after a power cut either the old or the new text is there: temp file, fsync, rename, fsync of the directory. */
  replace(path: string, text: string, options?: ReplaceOptions): Promise<void>;
  /** Copies a file so that after a power cut the whole copy is there, or what was there before. */
  copy(from: string, to: string, mode: number): Promise<void>;
  /** Gives a file another name in its directory, in place of what has that name; an absent one is no error. */
  move(from: string, to: string): Promise<void>;
  /** Renames a broken file to `<path>.broken-<n>` (n counts up, bounded) and returns the new path; undefined where nothing was there. */
  setAside(path: string): Promise<string | undefined>;
  /** Makes a directory and its parents so that they outlive a power cut; an existing one is left as it is. */
  makeDirectory(path: string, mode?: number): Promise<void>;
  /** Removes a file so that it stays away after a power cut; an absent one is no error. */
  remove(path: string): Promise<void>;
  /** Names in a directory, sorted; an absent directory is empty. */
  list(path: string): Promise<readonly string[]>;
}
