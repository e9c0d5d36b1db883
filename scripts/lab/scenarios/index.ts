import { chaos } from './chaos.ts';
import { check } from './check.ts';
import { deploy } from './deploy.ts';
import { edgecore } from './edgecore.ts';
import { hangAgent } from './hang-agent.ts';
import { idle } from './idle.ts';
import { init } from './init.ts';
import { join } from './join.ts';
import { killAgent } from './kill-agent.ts';
import { lateUplink } from './late-uplink.ts';
import { missingFeature } from './missing-feature.ts';
import { numbers } from './numbers.ts';
import { powerCut } from './power-cut.ts';
import { repair } from './repair.ts';
import type { Scenario } from './scenario.ts';
import { shape } from './shape.ts';
import { update } from './update.ts';
import { uplink } from './uplink.ts';

/** Every scenario by its name on the command line. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  check,
  chaos,
  init,
  shape,
  repair,
  uplink,
  'late-uplink': lateUplink,
  idle,
  numbers,
  join,
  edgecore,
  'kill-agent': killAgent,
  'hang-agent': hangAgent,
  'power-cut': powerCut,
  'missing-feature': missingFeature,
  update,
  deploy,
};
