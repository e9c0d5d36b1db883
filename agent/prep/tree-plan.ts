import type { ObservedGround } from '../core/ground-observed.ts';
import type { GroundStep } from '../core/ground-step.ts';
import { backedFiles, ownFileNames, shownFiles } from './etc-files.ts';
import { mountAt } from './mount-table.ts';
import { wantPlace } from './place-wanted.ts';
import { directory, homePlaces, type Place, symlink, systemEtc, tmpfs, unitPlaces } from './places.ts';
import { type GroundSettings, mountMark, newRootPath, oldRootPath } from './settings.ts';
import type { Strategy } from './strategy.ts';
import type { Wanted } from './wanted.ts';

/** Mounts whose events must reach containers and pods (`Bidirectional`, rshared volumes). */
const sharedTargets = ['/', '/run', '/var', '/data'];

/** Where the system's own /etc is kept in our root when it is no link. */
const keptEtc = '/.oh-edge-etc';

/** Places with the prefix that they have now, in the order in which they must come to be. */
export interface TreeLayout {
  readonly fixed: readonly Place[];
  readonly shown: readonly Place[];
  readonly prefix: string;
  /** Whether a new root is still to be built and pivoted into. */
  readonly isPending: boolean;
}

/** What the file tree is to be. */
export function treeLayout(
  observed: ObservedGround,
  settings: GroundSettings,
  strategy: Strategy,
): TreeLayout {
  const { root } = strategy;
  const fixed = [...homePlaces(settings, root), ...backedFiles(observed, settings, root)];
  if (strategy.refusal !== undefined) return { fixed, shown: [], prefix: '', isPending: false };
  const own = [...unitPlaces(observed, settings, root), ...shownFiles(observed, settings, root)];
  if (root !== 'stock' || isOurRoot(observed)) return { fixed, shown: own, prefix: '', isPending: false };
  const shown = [
    ...systemEntries(observed),
    ...etcLinks(observed, settings),
    ...(observed.paths['/usr']?.kind === 'absent'
      ? [directory('/usr', 0o755, 'Programs expect it to exist.')]
      : []),
    ...own,
    directory(oldRootPath, 0o700, 'pivot_root needs a place for the old root.'),
  ];
  return { fixed, shown, prefix: newRootPath(settings), isPending: true };
}

/** Everything about the file tree: home, mounts or a whole new root, and propagation. */
export function planTree(
  observed: ObservedGround,
  settings: GroundSettings,
  strategy: Strategy,
): readonly Wanted[] {
  const layout = treeLayout(observed, settings, strategy);
  const fixed = layout.fixed.flatMap((place) => wantPlace(observed, place, ''));
  const shown = layout.shown.flatMap((place) => wantPlace(observed, place, layout.prefix));
  if (layout.isPending) {
    return [...fixed, ...newRoot(observed, layout.prefix), ...shown, ...pivot(observed, layout.prefix)];
  }
  if (strategy.root === 'host' || strategy.refusal !== undefined) return fixed;
  return [...fixed, ...dropOldRoot(observed), ...shown, wantShared(observed)];
}

/** Reports whether `/` is the root that we built. */
export function isOurRoot(observed: ObservedGround): boolean {
  const root = mountAt(observed, '/');
  return root?.fstype === 'tmpfs' && root.source === mountMark;
}

/** The new root grows below the home, so nothing shows in a directory of the system. */
function newRoot(observed: ObservedGround, top: string): readonly Wanted[] {
  const why = 'The root of the board is read-only and lacks directories; ours is built beside it.';
  const place = tmpfs(top, ['mode=0755', 'nosuid', 'nodev'], why);
  return [
    ...wantPlace(observed, place, ''),
    {
      isMet: mountAt(observed, top)?.isUnbindable ?? false,
      step: {
        kind: 'set-propagation',
        id: 'new-root-unbindable',
        what: `make ${top} unbindable`,
        why: 'It shows /data and lies below it; it must not hold itself.',
        target: top,
        propagation: 'unbindable',
      },
    },
  ];
}

/** pivot_root(2) refuses while the old root is shared with anybody, hence first a slave, then shared again. */
function pivot(observed: ObservedGround, top: string): readonly Wanted[] {
  return [
    {
      isMet: mountAt(observed, '/')?.isShared === false,
      step: {
        kind: 'set-propagation',
        id: 'old-root-slave',
        what: 'cut the old root from its peers',
        why: 'The kernel moves no root that is shared.',
        target: '/',
        propagation: 'rslave',
      },
    },
    unmet({
      kind: 'pivot-root',
      id: 'root',
      what: `make ${top} the root of this mount namespace`,
      why: 'Only so do /run, /var, /opt, /usr and /root exist for the units; the rest of the system keeps its root.',
      newRoot: top,
      putOld: `${top}${oldRootPath}`,
    }),
    unmet(unmountOld),
    unmet(makeShared),
  ];
}

const unmountOld: GroundStep = {
  kind: 'unmount',
  id: 'old-root',
  what: `let go of the old root at ${oldRootPath}`,
  why: 'A second copy of every mount would keep disks busy.',
  target: oldRootPath,
  isLazy: true,
};

const makeShared: GroundStep = {
  kind: 'set-propagation',
  id: 'shared',
  what: 'share all mounts of this namespace among the units',
  why: 'Volumes that containers mount for others (Bidirectional, rshared) would not be seen; the system still sees nothing.',
  target: '/',
  propagation: 'rshared',
};

function dropOldRoot(observed: ObservedGround): readonly Wanted[] {
  return mountAt(observed, oldRootPath) === undefined ? [] : [unmet(unmountOld)];
}

function wantShared(observed: ObservedGround): Wanted {
  return {
    isMet: sharedTargets.every((target) => mountAt(observed, target)?.isShared ?? true),
    step: makeShared,
  };
}

/** Entries of `/` that the new root takes over as they are; ours come beside them. */
function systemEntries(observed: ObservedGround): readonly Place[] {
  const ours = new Set(['etc', 'run', 'var', 'opt', 'root', 'tmp']);
  const why = 'The new root shows what the system has.';
  const names = observed.paths['/']?.names ?? [];
  return names
    .filter((name) => !ours.has(name))
    .flatMap((name): readonly Place[] => {
      const path = `/${name}`;
      const fact = observed.paths[path];
      if (fact?.kind === 'symlink') return [symlink(path, fact.target ?? '', why)];
      if (fact?.kind === 'directory') return [{ kind: 'bind', path, source: path, shape: 'tree', why }];
      if (fact?.kind === 'file') return [{ kind: 'bind', path, source: path, shape: 'file', why }];
      return [];
    });
}

/** Our /etc is a directory of links to the system's entries, so that files of ours can stand beside them. */
function etcLinks(observed: ObservedGround, settings: GroundSettings): readonly Place[] {
  const system = systemEtc(observed);
  const base = system === '/etc' ? keptEtc : system;
  const ours = new Set(['docker', 'cni', 'kubeedge', ...ownFileNames(observed, settings)]);
  const why = 'The units see the system configuration beside ours.';
  const kept: Place = { kind: 'bind', path: keptEtc, source: '/etc', shape: 'tree', why };
  return [
    ...(base === keptEtc ? [kept] : []),
    directory('/etc', 0o755, why),
    directory('/etc/cni', 0o755, 'CNI networks are shown below it.'),
    ...(observed.paths[system]?.names ?? [])
      .filter((name) => !ours.has(name))
      .map((name) => symlink(`/etc/${name}`, `${base}/${name}`, why)),
  ];
}

function unmet(step: GroundStep): Wanted {
  return { isMet: false, step };
}
