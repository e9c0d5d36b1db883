import type { ObservedGround, PathFact } from '../core/ground-observed.ts';
import { isWritable, mountAt, mountCovering } from './mount-table.ts';
import { type GroundSettings, mountMark } from './settings.ts';

export type RootStrategy = 'image' | 'stock' | 'host';
export type CgroupStrategy = 'v1' | 'v2' | 'left-alone' | 'none';

/** What was chosen, and why, in sentences. */
export interface Strategy {
  readonly root: RootStrategy;
  readonly cgroup: CgroupStrategy;
  readonly reasons: readonly string[];
  /** Set where nothing may be mounted: the sentence says what is wrong and how to cure it. */
  readonly refusal?: string;
}

/** Directories that OpenHarmony's image builder does not make and that container engines take for granted. */
export const missingDirectories = ['/run', '/var', '/opt', '/usr', '/root'] as const;

/** Where every runtime looks for cgroups: runc finds no `devices` hierarchy anywhere else. */
export const cgroupBase = '/sys/fs/cgroup';

/** Chooses by looking; a configured value wins and is named as the reason. */
export function chooseStrategy(observed: ObservedGround, settings: GroundSettings): Strategy {
  const root = settings.root === 'auto' ? chooseRoot(observed) : configured(settings.root, 'prep.root');
  const cgroup =
    settings.cgroup === 'auto' ? chooseCgroup(observed) : configured(settings.cgroup, 'prep.cgroup');
  const reasons = [root.reason, cgroup.reason];
  const choice = { root: root.value, cgroup: cgroup.value, reasons };
  const isShared = observed.namespace.own === observed.namespace.init;
  if (root.value === 'host' || !isShared) return choice;
  return {
    ...choice,
    refusal: `Cannot prepare the root: this process shares the mount namespace ${observed.namespace.own} with init, and the system must not see our mounts; start the agent through launch.sh`,
  };
}

interface Choice<T> {
  readonly value: T;
  readonly reason: string;
}

function configured<T extends string>(value: T, key: string): Choice<T> {
  return { value, reason: `${key} is set to ${value}` };
}

function fact(observed: ObservedGround, path: string): PathFact {
  return observed.paths[path] ?? { kind: 'absent' };
}

function chooseRoot(observed: ObservedGround): Choice<RootStrategy> {
  if (isOurs(observed, '/')) return { value: 'stock', reason: 'the root is the one that the agent built' };
  const absent = missingDirectories.filter((path) => fact(observed, path).kind === 'absent');
  if (isOurs(observed, '/run')) return { value: 'image', reason: 'the mount points of the image are in use' };
  if (absent.length === 0) {
    if (isWritable(observed, '/run') && isWritable(observed, '/var') && isWritable(observed, '/etc')) {
      return { value: 'host', reason: '/run, /var and /etc are there and writable: an ordinary Linux' };
    }
    return {
      value: 'image',
      reason: `${missingDirectories.join(', ')} are there as mount points on a read-only root`,
    };
  }
  return {
    value: 'stock',
    reason: `${absent.join(', ')} ${absent.length === 1 ? 'does' : 'do'} not exist in /`,
  };
}

function isOurs(observed: ObservedGround, target: string): boolean {
  const mount = mountAt(observed, target);
  return mount?.fstype === 'tmpfs' && mount.source === mountMark;
}

/** Controllers that runc and the kubelet want from cgroup2 (kubernetes pkg/kubelet/cm, opencontainers/runc libcontainer/cgroups/fs2). */
const unifiedControllers = new Set(['cpu', 'cpuset', 'memory', 'pids']);

function chooseCgroup(observed: ObservedGround): Choice<CgroupStrategy> {
  const base = mountCovering(observed, cgroupBase);
  if (fact(observed, '/run/systemd/system').kind === 'directory') {
    return { value: 'left-alone', reason: 'systemd looks after the cgroups' };
  }
  const active = observed.controllers.filter((row) => row.isEnabled && row.hierarchy !== 0);
  const unified = observed.mounts.find((mount) => mount.fstype === 'cgroup2');
  // Where cgroup2 has what it needs, v1 hierarchies of others, such as the doctor's probe of devices, change nothing.
  const isSplit = active.some((row) => unifiedControllers.has(row.name));
  if (active.length > 0 && (unified === undefined || isSplit)) {
    const names = active.map((row) => row.name).join(', ');
    const beside =
      unified === undefined ? '' : `; cgroup2 at ${unified.target} has none of them and stays as it is`;
    return { value: 'v1', reason: `the system uses v1 hierarchies for ${names}${beside}` };
  }
  if (unified !== undefined) {
    return {
      value: 'v2',
      reason: `cgroup2 is mounted at ${unified.target} and no v1 hierarchy holds what it needs`,
    };
  }
  if (observed.controllers.some((row) => row.isEnabled && row.name === 'devices')) {
    return { value: 'v1', reason: 'no hierarchy is mounted and the kernel offers the v1 controllers' };
  }
  if (observed.filesystems.includes('cgroup2')) {
    return { value: 'v2', reason: 'the kernel offers cgroup2 and no v1 devices controller' };
  }
  return {
    value: 'none',
    reason: `the kernel has no usable cgroups (${base?.fstype ?? 'nothing'} at ${cgroupBase})`,
  };
}
