import type { GroundStep } from '../core/ground-step.ts';

/** One thing that is to be so, and the step that makes it so. */
export interface Wanted {
  readonly step: GroundStep;
  /** Whether the last look found it so already. */
  readonly isMet: boolean;
}

/** Steps of everything that is not met, in order. */
export function missing(wanted: readonly Wanted[]): readonly GroundStep[] {
  return wanted.filter((item) => !item.isMet).map((item) => item.step);
}
