import type { ObservedGround } from '../core/ground-observed.ts';
import { mountAt } from './mount-table.ts';
import { cgroupBase } from './strategy.ts';
import type { Wanted } from './wanted.ts';

/** What docker's check-config.sh asks of a unified hierarchy. */
const unifiedWanted = ['cpuset', 'cpu', 'io', 'memory', 'pids'];

/** cgroup2 at the one place where docker, containerd and runc look, with the controllers handed down to groups. */
export function planUnified(observed: ObservedGround): readonly Wanted[] {
  const words = (name: string): readonly string[] =>
    (observed.paths[`${cgroupBase}/${name}`]?.text ?? '').split(/\s+/).filter((word) => word !== '');
  const isMounted = mountAt(observed, cgroupBase)?.fstype === 'cgroup2';
  const offered = new Set(words('cgroup.controllers'));
  const enabled = new Set(words('cgroup.subtree_control'));
  const mount: Wanted = {
    isMet: isMounted,
    step: {
      kind: 'mount',
      id: `mount:${cgroupBase}`,
      what: `mount cgroup2 on ${cgroupBase}`,
      why: 'docker and containerd decide by the filesystem there whether the board uses v2.',
      fstype: 'cgroup2',
      source: 'cgroup2',
      target: cgroupBase,
      options: ['nosuid', 'nodev', 'noexec'],
    },
  };
  const controllers = unifiedWanted
    .filter((name) => !isMounted || offered.has(name))
    .map(
      (name): Wanted => ({
        isMet: enabled.has(name),
        step: {
          kind: 'write-cgroup',
          id: `controller:${name}`,
          what: `hand controller ${name} down to the groups below the root`,
          why: `Containers cannot be limited in ${name} otherwise.`,
          path: `${cgroupBase}/cgroup.subtree_control`,
          value: `+${name}`,
          isOptional: true,
        },
      }),
    );
  return [mount, ...controllers, ...wantUnifiedRoot(observed)];
}

function wantUnifiedRoot(observed: ObservedGround): readonly Wanted[] {
  const own = observed.memberships.find((row) => row.hierarchy === 0);
  if (own === undefined || own.path === '/' || own.path.startsWith('/..')) return [];
  return [
    {
      isMet: false,
      step: {
        kind: 'join-cgroup',
        id: 'cgroup:v2',
        what: `move the agent from ${own.path} to the root group`,
        why: 'Units start where the agent is; a group with processes cannot hand controllers down.',
        path: `${cgroupBase}/cgroup.procs`,
      },
    },
  ];
}
