import type { Clock, Random } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Processes } from '../core/process.ts';
import type { Programs } from '../core/program.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { HealthBoard } from '../health/board.ts';

/** The machine as a unit sees it. */
export interface UnitPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  readonly programs: Programs;
  readonly files: Files;
  readonly logs: UnitLogs;
  readonly board: HealthBoard;
  readonly log: Log;
  /** Resolves when the event loop is through with its turn. */
  readonly nextTurn: () => Promise<void>;
  /** Directory of the adoption records, e.g. `/data/oh-edge-agent/state/units`. */
  readonly recordDir: string;
}
