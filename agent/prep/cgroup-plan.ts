import type { Controller, Mount, ObservedGround } from '../core/ground-observed.ts';
import { planUnified } from './cgroup2-plan.ts';
import { wantMemoryTrees } from './memory-tree-plan.ts';
import { mountAt } from './mount-table.ts';
import { mountMark } from './settings.ts';
import { cgroupBase, type Strategy } from './strategy.ts';
import type { Wanted } from './wanted.ts';

/** Without these dockerd or edgecore do not run; the rest only limits features. */
const required = new Set(['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'pids']);
/** Groups that docker and edgecore hang theirs below. */
const parentGroups = ['docker', 'kubepods', 'kubepods.slice'];

/** Everything about cgroups. */
export function planCgroups(observed: ObservedGround, strategy: Strategy): readonly Wanted[] {
  if (strategy.refusal !== undefined) return [];
  switch (strategy.cgroup) {
    case 'v1':
      return [...planV1(observed), ...wantSingleNames(observed, strategy)];
    case 'v2':
      return planUnified(observed);
    case 'left-alone':
    case 'none':
      return [];
  }
}

/** Controllers that share one hierarchy, and the directory they get. */
export interface HierarchyGroup {
  readonly names: readonly string[];
  readonly target: string;
}

/** One group per v1 hierarchy. What the system co-mounted must be attached with the same set, or the kernel says EBUSY. */
export function hierarchyGroups(controllers: readonly Controller[]): readonly HierarchyGroup[] {
  const groups = new Map<string, string[]>();
  for (const { name, hierarchy, isEnabled } of controllers) {
    if (!isEnabled) continue;
    const key = hierarchy === 0 ? name : `#${hierarchy}`;
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()].map((names) => ({ names, target: `${cgroupBase}/${names.join(',')}` }));
}

function planV1(observed: ObservedGround): readonly Wanted[] {
  const groups = hierarchyGroups(observed.controllers);
  return [
    wantBase(observed),
    ...groups.flatMap((group) => wantHierarchy(observed, group)),
    ...wantNamed(observed),
    ...wantCpusets(observed),
    ...wantMemoryTrees(observed),
    ...wantRootGroups(observed),
  ];
}

function wantBase(observed: ObservedGround): Wanted {
  const mount = mountAt(observed, cgroupBase);
  return {
    isMet: mount?.fstype === 'tmpfs',
    step: {
      kind: 'mount',
      id: `mount:${cgroupBase}`,
      what: `mount tmpfs on ${cgroupBase}`,
      why: 'runc looks for the hierarchies below it and nowhere else.',
      fstype: 'tmpfs',
      source: mountMark,
      target: cgroupBase,
      options: ['mode=0755', 'nosuid', 'nodev', 'noexec'],
    },
  };
}

/**
 * OpenHarmony mounts its hierarchies as /dev/memcg, /dev/cpuctl and the like, and runc names a container's hierarchies
 * after the first mount of each that it finds (opencontainers/runc libcontainer/cgroups/v1_utils.go): a container would see
 * /sys/fs/cgroup/memcg, and every program in it would miss its memory limit. In our own namespace only the usual names stay.
 */
function wantSingleNames(observed: ObservedGround, strategy: Strategy): readonly Wanted[] {
  if (strategy.root !== 'image' && strategy.root !== 'stock') return [];
  const isElsewhere = ({ fstype, target }: Mount): boolean =>
    fstype === 'cgroup' && !target.startsWith(`${cgroupBase}/`);
  return observed.mounts.filter(isElsewhere).map(({ target }) => ({
    isMet: false,
    step: {
      kind: 'unmount',
      id: `hide:${target}`,
      what: `take ${target} out of the view of the units`,
      why: 'runc would name the hierarchy in containers after it, and programs there would not find their limits.',
      target,
      isLazy: true,
      isOptional: true,
    },
  }));
}

/** The v1 mount below /sys/fs/cgroup that shows the whole hierarchy of a controller, wherever it lies there. */
export function hierarchyMount(observed: ObservedGround, option: string): Mount | undefined {
  return observed.mounts.findLast(
    (mount) =>
      mount.fstype === 'cgroup' &&
      mount.root === '/' &&
      mount.target.startsWith(`${cgroupBase}/`) &&
      mount.superOptions.includes(option) &&
      mountAt(observed, mount.target)?.id === mount.id,
  );
}

function wantHierarchy(observed: ObservedGround, group: HierarchyGroup): readonly Wanted[] {
  const { names, target } = group;
  const label = names.join(',');
  const isMet = names.every((name) => hierarchyMount(observed, name) !== undefined);
  const isOptional = !names.some((name) => required.has(name));
  const why = isOptional
    ? `edgecore stays NotReady while a controller that /proc/cgroups calls enabled is not mounted: ${label}.`
    : `Containers cannot be limited or started without ${label}.`;
  return [
    {
      isMet: isMet || observed.paths[target]?.kind === 'directory',
      step: {
        kind: 'make-directory',
        id: `dir:${target}`,
        what: `make directory ${target}`,
        why: 'It is needed to mount on.',
        path: target,
        mode: 0o755,
        isOptional,
      },
    },
    {
      isMet,
      step: {
        kind: 'mount',
        id: `mount:${target}`,
        what: `mount the cgroup hierarchy of ${label} on ${target}`,
        why,
        fstype: 'cgroup',
        source: 'cgroup',
        target,
        options: ['nosuid', 'nodev', 'noexec', ...names],
        isOptional,
      },
    },
    ...(names.length > 1 && !isMet ? names.map((name) => wantAlias(observed, name, label)) : []),
  ];
}

function wantAlias(observed: ObservedGround, name: string, label: string): Wanted {
  const path = `${cgroupBase}/${name}`;
  return {
    isMet: observed.paths[path]?.kind === 'symlink',
    step: {
      kind: 'make-symlink',
      id: `link:${path}`,
      what: `link ${path} to ${label}`,
      why: 'Programs look for each controller by its own name.',
      path,
      target: label,
      isOptional: true,
    },
  };
}

/** Containers that run systemd and parts of the kubelet look for the named hierarchy. */
function wantNamed(observed: ObservedGround): readonly Wanted[] {
  const target = `${cgroupBase}/systemd`;
  const isMet = hierarchyMount(observed, 'name=systemd') !== undefined;
  const base = { why: 'Containers that run systemd and parts of the kubelet look for it.', isOptional: true };
  return [
    {
      isMet: isMet || observed.paths[target]?.kind === 'directory',
      step: {
        kind: 'make-directory',
        id: `dir:${target}`,
        what: `make directory ${target}`,
        path: target,
        mode: 0o755,
        ...base,
      },
    },
    {
      isMet,
      step: {
        kind: 'mount',
        id: `mount:${target}`,
        what: `mount the named cgroup hierarchy systemd on ${target}`,
        fstype: 'cgroup',
        source: 'cgroup',
        target,
        options: ['nosuid', 'nodev', 'noexec', 'none', 'name=systemd'],
        ...base,
      },
    },
  ];
}

/** A cpuset without CPUs or memory nodes takes no process; a group left empty by an earlier life would fail every container. */
function wantCpusets(observed: ObservedGround): readonly Wanted[] {
  return cpusetFiles().flatMap(({ path, parent }): readonly Wanted[] => {
    const value = observed.paths[parent]?.text?.trim() ?? '';
    if (observed.paths[path]?.text?.trim() !== '' || value === '') return [];
    return [
      {
        isMet: false,
        step: {
          kind: 'write-cgroup',
          id: `cpuset:${path}`,
          what: `write ${value} to ${path}`,
          why: 'A group without CPUs or memory nodes takes no process.',
          path,
          value,
          isOptional: true,
        },
      },
    ];
  });
}

/** Control files of the groups that containers hang below, with and without the prefix that `noprefix` takes away. */
export function cpusetFiles(): readonly { readonly path: string; readonly parent: string }[] {
  const top = `${cgroupBase}/cpuset`;
  return parentGroups.flatMap((group) =>
    ['cpuset.cpus', 'cpuset.mems', 'cpus', 'mems'].map((file) => ({
      path: `${top}/${group}/${file}`,
      parent: `${top}/${file}`,
    })),
  );
}

/** The kubelet refuses when its units sit in different groups of cpu and memory; everything of ours starts at the top. */
function wantRootGroups(observed: ObservedGround): readonly Wanted[] {
  return observed.memberships.flatMap(({ controllers, path }): readonly Wanted[] => {
    const first = controllers[0];
    if (first === undefined || path.startsWith('/..')) return [];
    const mount = hierarchyMount(observed, first);
    const target = mount?.target ?? `${cgroupBase}/${controllers.join(',')}`;
    return [
      {
        isMet: path === '/',
        step: {
          kind: 'join-cgroup',
          id: `cgroup:${controllers.join(',')}`,
          what: `move the agent from ${path} to the root group of ${controllers.join(',')}`,
          why: 'Units start where the agent is, and the kubelet wants all of them in one group of cpu and memory.',
          path: `${target}/cgroup.procs`,
          isOptional: !controllers.some((name) => required.has(name)),
        },
      },
    ];
  });
}
