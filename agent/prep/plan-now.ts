import type { PlanDocument } from '../api/wire.ts';
import type { Files } from '../core/files.ts';
import type { GroundObserver } from '../core/ground.ts';
import { RecordKeeper } from './ground-record.ts';
import { lookAtGround } from './look.ts';
import { planGround } from './plan.ts';
import { planDocument } from './plan-document.ts';
import type { GroundSettings } from './settings.ts';

/** What a plan is made from where no agent runs. */
export interface PlanParts {
  readonly observer: GroundObserver;
  readonly settings: GroundSettings;
  readonly files: Files;
}

/** What an agent that is started now would do; changes nothing. */
export async function planNow(
  { observer, settings, files }: PlanParts,
  signal: AbortSignal,
): Promise<PlanDocument> {
  const observed = await lookAtGround(observer, settings, signal);
  const record = await new RecordKeeper(files, `${settings.home}/state/ground.json`).load(observed.bootId);
  return planDocument(planGround(observed, settings, record));
}
