import type { Board } from '../board.ts';
import type { Progress } from '../progress.ts';

/** What a scenario works with: a board that has just booted. */
export interface ScenarioContext {
  readonly board: Board;
  readonly progress: Progress;
  /** Folder for whatever the scenario leaves behind. */
  readonly logs: string;
}

/** Something that is done to a running board and judged; it throws when the board does not behave. */
export interface Scenario {
  readonly summary: string;
  run(context: ScenarioContext): Promise<void>;
}
