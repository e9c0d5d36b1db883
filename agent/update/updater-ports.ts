import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';
import type { PartRecord } from './part-record.ts';
import type { PartStore } from './part-store.ts';
import type { PartKind, PartName } from './part-table.ts';
import type { PartTrial } from './part-trial.ts';
import type { TakePorts } from './take-part.ts';
import type { TrialLimits } from './trial.ts';
import type { UpdateUnits } from './unit-swap.ts';

/** What updates work with. */
export interface UpdaterPorts extends TakePorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly board: HealthBoard;
  readonly log: Log;
  /** Asked only when the supervision is there. */
  readonly units: () => UpdateUnits;
}

/** Times of one part's trial, in milliseconds. */
export interface PartLimits extends TrialLimits {
  /** Longest time that the running process may take to end. */
  readonly stopMs: number;
}

/** How updates are set up. */
export interface UpdaterOptions {
  /** Writable home, e.g. /data/oh-edge-agent; parts lie in `<home>/parts`. */
  readonly home: string;
  readonly bootId: string;
  /** Slot that the start script has chosen for this agent; undefined where somebody else started it. */
  readonly launched: string | undefined;
  /** Where the image has its own parts. */
  readonly imagePaths: Readonly<Record<PartName, string>>;
  readonly limits: Readonly<Record<PartName, PartLimits>>;
  /** Ends this agent, so that its start script chooses anew. */
  readonly restartAgent: () => void;
}

/** One part and how it stands. */
export interface Place {
  readonly kind: PartKind;
  readonly store: PartStore;
  record: PartRecord;
  /** Whether the record at hand is the one on disk. */
  isOpen: boolean;
  /** The opening that is under way. */
  opening: Promise<void> | undefined;
  trial: PartTrial | undefined;
}
