import type { GroundQuestions, ObservedGround } from '../core/ground-observed.ts';
import type { GroundStep } from '../core/ground-step.ts';
import { cpusetFiles, hierarchyGroups, planCgroups } from './cgroup-plan.ts';
import { emptyRecord, type GroundRecord } from './ground-record.ts';
import { memoryTreeFiles } from './memory-tree-plan.ts';
import { backing, systemEtc } from './places.ts';
import { planRoutes } from './route-plan.ts';
import type { GroundSettings } from './settings.ts';
import { cgroupBase, chooseStrategy, missingDirectories, type Strategy } from './strategy.ts';
import { planSystem, sysctlNames } from './system-plan.ts';
import { planTree, treeLayout } from './tree-plan.ts';
import { missing, type Wanted } from './wanted.ts';

/** The difference between what is and what is to be, in the order in which it must be done. */
export interface GroundPlan {
  readonly strategy: Strategy;
  readonly wanted: readonly Wanted[];
  readonly steps: readonly GroundStep[];
}

/** Pure: the same look gives the same plan, and no steps means that nothing is to do. */
export function planGround(
  observed: ObservedGround,
  settings: GroundSettings,
  record: GroundRecord = emptyRecord,
): GroundPlan {
  const strategy = chooseStrategy(observed, settings);
  const wanted = [
    ...planTree(observed, settings, strategy),
    ...planCgroups(observed, strategy),
    ...planSystem(observed, settings),
    ...planRoutes(observed, settings, record.priorities),
  ];
  return { strategy, wanted, steps: missing(wanted) };
}

/** What must be known before a strategy can be chosen. */
export function firstQuestions(settings: GroundSettings, links: ObservedGround['links']): GroundQuestions {
  return {
    paths: [...missingDirectories, '/etc', '/tmp', '/run/systemd/system', cgroupBase],
    texts: ['/etc/hosts', backing(settings, '/etc/machine-id'), backing(settings, '/etc/resolv.conf')],
    lists: ['/'],
    sysctls: sysctlNames({ links }),
  };
}

/** What the layout of the chosen strategy asks further. */
export function furtherQuestions(observed: ObservedGround): GroundQuestions {
  const etc = systemEtc(observed);
  const entries = (observed.paths['/']?.names ?? []).map((name) => `/${name}`);
  const etcFiles = ['machine-id', 'resolv.conf', 'hosts'].map((name) => `${etc}/${name}`);
  const cpusets = cpusetFiles().flatMap((file) => [file.path, file.parent]);
  const controllers = observed.controllers.map((row) => `${cgroupBase}/${row.name}`);
  const groups = hierarchyGroups(observed.controllers).map((group) => group.target);
  return {
    paths: [...entries, ...etcFiles, ...controllers, ...groups, `${cgroupBase}/systemd`],
    texts: [
      ...cpusets,
      ...memoryTreeFiles,
      `${cgroupBase}/cgroup.controllers`,
      `${cgroupBase}/cgroup.subtree_control`,
    ],
    lists: [etc],
    sysctls: [],
  };
}

/** Paths of all places; asked last because they follow from the other answers. */
export function placeQuestions(observed: ObservedGround, settings: GroundSettings): GroundQuestions {
  const layout = treeLayout(observed, settings, chooseStrategy(observed, settings));
  const texts = layout.fixed.filter((place) => place.kind === 'text').map((place) => place.path);
  const paths = [
    ...layout.fixed.map((place) => place.path),
    ...layout.shown.map((place) => `${layout.prefix}${place.path}`),
    ...(layout.prefix === '' ? [] : [layout.prefix]),
  ];
  return { paths, texts, lists: [], sysctls: [] };
}
