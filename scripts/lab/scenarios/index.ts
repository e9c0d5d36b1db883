import { check } from './check.ts';
import { init } from './init.ts';
import type { Scenario } from './scenario.ts';
import { shape } from './shape.ts';

/** Every scenario by its name on the command line. */
export const scenarios: Readonly<Record<string, Scenario>> = { check, init, shape };
