import type { ApplyDocument, DoctorDocument, PlanDocument, PrepStatus } from '../api/wire.ts';
import { ClockKeeper, type ClockParts } from './clock-keeper.ts';
import type { ExamineParts } from './doctor/examine.ts';
import { type GroundParts, GroundWork } from './ground-work.ts';

/** What the whole room needs. */
export type PrepParts = GroundParts & ExamineParts & Pick<ClockParts, 'time' | 'sources'>;

/** The room as the composition root sees it. */
export interface Prep {
  /** Does the first pass, whatever comes of it, and then keeps the ground until stopped. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** Resolves as soon as everything is there that the units need. */
  prepared(signal: AbortSignal): Promise<void>;
  status(): PrepStatus;
  plan(signal: AbortSignal): Promise<PlanDocument>;
  applyNow(): Promise<ApplyDocument>;
  undo(): Promise<ApplyDocument>;
  /** Works before `start` too, so that `agentctl doctor` can look without a daemon. */
  doctor(signal: AbortSignal): Promise<DoctorDocument>;
  unitEnvironment(): Readonly<Record<string, string>>;
}

/** Builds the room; nothing happens before `start`. */
export function createPrep(parts: PrepParts): Prep {
  const work = new GroundWork(parts);
  const clockKeeper = new ClockKeeper(parts);
  const isStopped = new AbortController();
  let clockRun = Promise.resolve();
  return {
    async start(signal) {
      await work.start(signal);
      clockRun = clockKeeper.run(AbortSignal.any([signal, isStopped.signal]));
    },
    async stop() {
      isStopped.abort(new DOMException('The ground work was stopped', 'AbortError'));
      await clockRun;
      await work.stop();
    },
    prepared: (signal) => work.prepared(signal),
    status: () => work.status(),
    plan: (signal) => work.plan(signal),
    applyNow: () => work.applyNow(),
    undo: () => work.undo(),
    // Its tables are loaded when somebody asks.
    doctor: async (signal) => (await import('./doctor/examine.ts')).examine(parts, signal),
    unitEnvironment: () => work.unitEnvironment(),
  };
}
