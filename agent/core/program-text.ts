/** Looks for text inside large files without reading them whole into memory. */
export interface ProgramText {
  /** First group of the first match, at most 256 bytes long, in the Latin-1 text of a file; undefined where there is none. */
  find(path: string, pattern: RegExp, signal: AbortSignal): Promise<string | undefined>;
}
