import fs from 'node:fs';
import { errnoOf } from '../core/agent-error.ts';
import { readProc } from './proc-reader.ts';

/**
 * Moves a process to the root group of every cgroup hierarchy that is mounted, and returns what could not be done.
 * runc puts containers below the root group, and the kubelet refuses to be Ready when dockerd and edgecore sit in
 * different groups of cpu and memory ("cpu and memory cgroup hierarchy not unified").
 */
export function moveToRootGroups(pid: number | 'self'): readonly string[] {
  const memberships = (readProc(`/proc/${pid}/cgroup`) ?? '').split('\n').filter((line) => line !== '');
  const elsewhere = memberships.flatMap((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return path.join(':') === '/' ? [] : [controllers];
  });
  if (elsewhere.length === 0) return [];
  const mounts = hierarchyRoots(readProc('/proc/self/mountinfo') ?? '');
  return elsewhere.flatMap((controllers) => {
    const root = mounts.get(controllers);
    return root === undefined ? [] : join(root, pid === 'self' ? process.pid : pid);
  });
}

function join(root: string, pid: number): string[] {
  try {
    fs.writeFileSync(`${root}/cgroup.procs`, String(pid));
    return [];
  } catch (error) {
    return [`${root}: ${errnoOf(error) ?? 'unknown'}`];
  }
}

/** Mount point of each hierarchy by the controllers that /proc/PID/cgroup names it with; `` is version 2. */
export function hierarchyRoots(mountinfo: string): ReadonlyMap<string, string> {
  const roots = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , superOptions = ''] = after.split(' ');
    const [, , , mountRoot, mountPoint] = before.split(' ');
    if (mountRoot !== '/' || mountPoint === undefined) continue;
    if (type === 'cgroup2') roots.set('', mountPoint);
    if (type === 'cgroup') for (const name of controllerNames(superOptions)) roots.set(name, mountPoint);
  }
  return roots;
}

/** The kernel lists controllers in one order everywhere, so joined co-mounted controllers are found as they stand. */
function controllerNames(superOptions: string): readonly string[] {
  const flags = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'seclabel']);
  const names = superOptions
    .split(',')
    .filter((option) => !flags.has(option) && !option.startsWith('release_agent='));
  return names.length === 0 ? [] : [names.join(',')];
}
