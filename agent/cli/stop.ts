import type { Run } from './command.ts';
import { unitVerb } from './unit-verb.ts';

/** Stops a unit and leaves it down. */
export const run: Run = unitVerb('stop');
