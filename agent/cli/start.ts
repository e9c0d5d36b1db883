import type { Run } from './command.ts';
import { unitVerb } from './unit-verb.ts';

/** Starts a unit. */
export const run: Run = unitVerb('start');
