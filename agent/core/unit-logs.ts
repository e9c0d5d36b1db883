import type { OutputDescriptors } from './process.ts';

/** One captured line. Same shape on the wire. */
export interface UnitLogLine {
  /** Wall clock in milliseconds when the agent read it. */
  readonly atMs: number;
  readonly unit: string;
  readonly stream: 'out' | 'err' | 'agent';
  readonly text: string;
}

/** Which lines are wanted. */
export interface LogQuery {
  /** Unit name, or `agent` for the agent's own log. */
  readonly unit: string;
  /** Only the last so many lines of what is kept; all kept lines by default. At most 100000. */
  readonly count?: number;
  /** Only lines read at or after this wall-clock millisecond. */
  readonly sinceMs?: number;
  /** Only lines that contain this text, case ignored. */
  readonly grep?: string;
  /** Whether to go on with new lines until the signal aborts. */
  readonly isFollowing?: boolean;
}

/** What became of the output of a unit. */
export interface CaptureCounts {
  /** Bytes that were not kept because the disk was full or too slow. */
  readonly droppedBytes: number;
  /** errno word of the last failed write; undefined while the file takes everything. */
  readonly trouble?: string;
}

/** The output of one unit. It goes through a named pipe that the unit itself holds open, so it survives the agent. */
export interface OutputCapture {
  readonly descriptors: OutputDescriptors;
  /** A new process is about to speak: what was said before is kept, but explains nothing about its end. */
  beginLife(): void;
  /** The process is dead: takes what it left in the pipe, an unfinished line too, and resolves with the last `count` lines of this life. */
  endLife(count: number): Promise<readonly string[]>;
  /** Takes everything that is in the pipe now, then returns the last `count` whole lines of this life, oldest first. */
  tail(count: number): readonly string[];
  /** Monotonic milliseconds of the last output; -1 where there was none yet. A sign of progress. */
  lastOutputMs(): number;
  counts(): CaptureCounts;
  /** Ends the capture; what is in the pipe stays there for the next agent. */
  close(): Promise<void>;
}

/** Captures unit output to rotating files and reads it back. */
export interface UnitLogs {
  capture(unit: string): Promise<OutputCapture>;
  /** Lines in order of time; without `isFollowing` it ends after the kept ones. An unknown unit has no lines. */
  lines(query: LogQuery, signal: AbortSignal): AsyncIterable<UnitLogLine>;
}
