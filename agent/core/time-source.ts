/** Tells what time others have. */
export interface TimeSource {
  /** Milliseconds since 1970 from the Date header of a server's answer, whatever its certificate; undefined where it does not answer. */
  dateOf(url: string): Promise<number | undefined>;
}
