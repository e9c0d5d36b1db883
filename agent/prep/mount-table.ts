import type { Mount, ObservedGround } from '../core/ground-observed.ts';

/** The mount that is seen at exactly this target: the last one listed there. */
export function mountAt(observed: ObservedGround, target: string): Mount | undefined {
  return observed.mounts.findLast((mount) => mount.target === target);
}

/** The mount that a path lies on. Links are not followed. */
export function mountCovering(observed: ObservedGround, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of observed.mounts) {
    if (!isWithin(path, mount.target)) continue;
    if (best === undefined || mount.target.length >= best.target.length) best = mount;
  }
  return best;
}

/** Reports whether a path is the directory itself or below it. */
export function isWithin(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/** Reports whether the filesystem under a path takes writes, as far as mount options tell. */
export function isWritable(observed: ObservedGround, path: string): boolean {
  const mount = mountCovering(observed, path);
  return mount !== undefined && !mount.options.includes('ro') && !mount.superOptions.includes('ro');
}

/** Reports whether `target` shows what lies at `source`: same filesystem, same part of it. */
export function isBound(observed: ObservedGround, source: string, target: string): boolean {
  const there = mountAt(observed, target);
  const origin = mountCovering(observed, source);
  if (there === undefined || origin === undefined) return false;
  return there.device === origin.device && there.root === joinRoot(origin, source);
}

/** Path of `source` inside its filesystem, as mountinfo would show it as the root of a bind. */
function joinRoot(origin: Mount, source: string): string {
  const rest = origin.target === '/' ? source : source.slice(origin.target.length);
  const base = origin.root === '/' ? '' : origin.root;
  return `${base}${rest}` || '/';
}
