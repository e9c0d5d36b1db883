import type { DoctorDocument } from '../../api/wire.ts';
import type { GroundObserver } from '../../core/ground.ts';
import type { Programs } from '../../core/program.ts';
import { lookAtGround } from '../look.ts';
import { planGround } from '../plan.ts';
import type { GroundSettings } from '../settings.ts';
import { checkClock } from './clock.ts';
import { summarize } from './finding.ts';
import { checkGround } from './ground.ts';
import { checkParts } from './parts.ts';

/** What an examination looks with. */
export interface ExamineParts {
  readonly settings: GroundSettings;
  readonly observer: GroundObserver;
  readonly programs: Programs;
  readonly configProblems: readonly string[];
}

/** Every check once. Changes nothing that outlasts it. */
export async function examine(parts: ExamineParts, signal: AbortSignal): Promise<DoctorDocument> {
  const { settings, observer, programs } = parts;
  const observed = await lookAtGround(observer, settings, signal);
  const plan = planGround(observed, settings);
  return summarize([
    ...checkGround(observed, plan, settings),
    checkClock(observed),
    ...(await checkParts(programs, settings)),
  ]);
}
