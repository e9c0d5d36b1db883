import type { ObservedGround } from '../core/ground-observed.ts';
import { cgroupBase } from './strategy.ts';
import type { Wanted } from './wanted.ts';

const top = `${cgroupBase}/memory`;
const knob = 'memory.use_hierarchy';
/** Groups that docker and edgecore hang theirs below; what lies beside them belongs to the system. */
const parents = ['docker', 'kubepods'];

/** Files that tell whether a group of memory counts what is below it. */
export const memoryTreeFiles: readonly string[] = [
  `${top}/${knob}`,
  ...parents.map((name) => `${top}/${name}/${knob}`),
];

/**
 * Before Linux 5.11, and so on the 5.10 of OpenHarmony up to 5.0, a group of memory limits and counts only its own processes
 * unless it was told otherwise while nothing was below it (kernel mm/memcontrol.c mem_cgroup_hierarchy_write). systemd and
 * cgroupfs-mount tell the root; here groups of the system are below that already, so the parents of ours are told.
 */
export function wantMemoryTrees(observed: ObservedGround): readonly Wanted[] {
  const text = (path: string): string | undefined => observed.paths[path]?.text?.trim();
  if (text(`${top}/${knob}`) !== '0') return [];
  return parents.flatMap((name): readonly Wanted[] => {
    const group = `${top}/${name}`;
    const why = 'A limit of a pod would not hold for its containers, and its memory would be told wrong.';
    const value = text(`${group}/${knob}`);
    return [
      {
        isMet: value !== undefined,
        step: {
          kind: 'make-directory',
          id: `dir:${group}`,
          what: `make the group ${group}`,
          why,
          path: group,
          mode: 0o755,
          isOptional: true,
        },
      },
      {
        isMet: value === '1',
        step: {
          kind: 'write-cgroup',
          id: `memory-tree:${name}`,
          what: `let ${group} count what is below it`,
          why,
          path: `${group}/${knob}`,
          value: '1',
          isOptional: true,
        },
      },
    ];
  });
}
