import { readFileSync } from 'node:fs';

/** Faults on command, read from a JSON file at start and four times a second. */
export interface Faults {
  /** Ends after `afterMs` with this code and these lines on standard error, on every start. */
  readonly exit?: { readonly code: number; readonly lines: readonly string[]; readonly afterMs: number };
  /** Starts nothing: no port, no link, no word after the version. */
  readonly hang?: boolean;
  /** SIGTERM and its like are ignored. */
  readonly ignoreSignals?: boolean;
  /** All modules stop and the process stays: the zombie of a busy metaserver port. */
  readonly zombie?: boolean;
  /** Says at its start that the metaserver's port is taken and the modules have stopped; health and link stay, as seen from 1.15.2. */
  readonly stopped?: boolean;
  /** The link to the cloud is cut and not made again. */
  readonly lostCloud?: boolean;
  /** The container runtime is reported dead: Ready=False, /healthz still answers. */
  readonly runtimeDown?: boolean;
}

/** Reads the faults; no file, or half a file, is no fault. */
export function readFaults(file: string): Faults {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
