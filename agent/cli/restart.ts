import type { Run } from './command.ts';
import { unitVerb } from './unit-verb.ts';

/** Stops a unit and starts it again. */
export const run: Run = unitVerb('restart');
