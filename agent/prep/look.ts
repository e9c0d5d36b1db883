import type { GroundObserver } from '../core/ground.ts';
import type { GroundFacts, ObservedGround, PathFact } from '../core/ground-observed.ts';
import { firstQuestions, furtherQuestions, placeQuestions } from './plan.ts';
import type { GroundSettings } from './settings.ts';
import { environmentQuestions } from './unit-environment.ts';

/** One whole look: what a strategy needs, then what its layout needs, then every place of the layout. */
export async function lookAtGround(
  observer: GroundObserver,
  settings: GroundSettings,
  signal: AbortSignal,
): Promise<ObservedGround> {
  const machine = await observer.observe(signal);
  const first = { ...machine, ...observer.facts(firstQuestions(settings, machine.links)) };
  const further = mergeFacts(
    mergeFacts(first, observer.facts(furtherQuestions(first))),
    observer.facts(environmentQuestions),
  );
  const known = { ...machine, ...further };
  return { ...machine, ...mergeFacts(known, observer.facts(placeQuestions(known, settings))) };
}

/** Answers of two rounds together; what one round was not asked for stays from the other. */
export function mergeFacts(a: GroundFacts, b: GroundFacts): GroundFacts {
  const paths: Record<string, PathFact> = { ...a.paths };
  for (const [path, fact] of Object.entries(b.paths)) paths[path] = { ...paths[path], ...fact };
  return { paths, sysctls: { ...a.sysctls, ...b.sysctls } };
}
