import type { ObservedGround } from '../core/ground-observed.ts';
import type { GroundRecord } from './ground-record.ts';
import { mountAt } from './mount-table.ts';
import type { GroundPlan } from './plan.ts';
import { planRoutes } from './route-plan.ts';
import type { GroundSettings } from './settings.ts';
import { chooseStrategy } from './strategy.ts';
import { missing, type Wanted } from './wanted.ts';

/**
 * What takes back everything that reaches beyond our mount namespace: rules, switches, and mounts where the agent works
 * in the namespace of the system. Mounts of a private namespace end with its last process; files below the home stay.
 */
export function planUndo(
  observed: ObservedGround,
  settings: GroundSettings,
  record: GroundRecord,
): GroundPlan {
  const routes = { ...settings.routes, isEnabled: false };
  const wanted = [
    ...planRoutes(observed, { ...settings, routes }, record.priorities),
    ...record.mounts.toReversed().flatMap((target) => wantUnmounted(observed, target)),
    ...Object.entries(record.sysctls).map(([name, value]) => wantRestored(observed, name, value)),
  ];
  return { strategy: chooseStrategy(observed, settings), wanted, steps: missing(wanted) };
}

function wantUnmounted(observed: ObservedGround, target: string): readonly Wanted[] {
  if (mountAt(observed, target) === undefined) return [];
  return [
    {
      isMet: false,
      step: {
        kind: 'unmount',
        id: `unmount:${target}`,
        what: `unmount ${target}`,
        why: 'The agent mounted it in this boot.',
        target,
        isLazy: false,
      },
    },
  ];
}

function wantRestored(observed: ObservedGround, name: string, value: string): Wanted {
  return {
    isMet: observed.sysctls[name] === value || observed.sysctls[name] === undefined,
    step: {
      kind: 'write-sysctl',
      id: `restore:${name}`,
      what: `set ${name} back to ${value}`,
      why: 'It was so before the agent came.',
      name,
      value,
      isOptional: true,
    },
  };
}
