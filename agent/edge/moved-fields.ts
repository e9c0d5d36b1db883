import type { Release } from './release.ts';
import { isTree, type Tree, type TreePath, valueAt, withValue } from './tree.ts';

/** A field that stands elsewhere from one release line on. */
interface Move {
  /** First minor release that reads it at the new place. */
  readonly since: number;
  readonly from: TreePath;
  readonly to: TreePath;
  /** Puts the value into its new form, e.g. seconds into a duration. */
  readonly convert?: (value: unknown) => unknown;
}

const edged = (...rest: readonly string[]): TreePath => ['modules', 'edged', ...rest];
const kubelet = (name: string): TreePath => edged('tailoredKubeletConfig', name);
const seconds = (value: unknown): unknown => (typeof value === 'number' ? `${value}s` : value);
const minutes = (value: unknown): unknown => (typeof value === 'number' ? `${value}m0s` : value);
const list = (value: unknown): unknown => (typeof value === 'string' ? (value === '' ? [] : [value]) : value);

/**
 * Fields that moved between releases (pkg/apis/componentconfig/edgecore v1alpha1/types.go @1.11 against
 * v1alpha2/types.go @1.12, and edge/pkg/edged/config/config.go @1.15 to @1.18). edgecore moves none of them itself: it
 * ignores what it does not know and takes its default instead.
 */
const moves: readonly Move[] = [
  { since: 12, from: edged('runtimeType'), to: edged('containerRuntime') },
  { since: 12, from: edged('dockerAddress'), to: edged('dockerEndpoint') },
  { since: 12, from: edged('labels'), to: edged('nodeLabels') },
  { since: 12, from: edged('taints'), to: edged('registerWithTaints') },
  { since: 12, from: edged('cniCacheDirs'), to: edged('cniCacheDir') },
  { since: 12, from: edged('cgroupDriver'), to: kubelet('cgroupDriver') },
  { since: 12, from: edged('cgroupsPerQOS'), to: kubelet('cgroupsPerQOS') },
  { since: 12, from: edged('cgroupRoot'), to: kubelet('cgroupRoot') },
  { since: 12, from: edged('edgeCoreCgroups'), to: kubelet('kubeletCgroups') },
  { since: 12, from: edged('systemCgroups'), to: kubelet('systemCgroups') },
  { since: 12, from: edged('clusterDNS'), to: kubelet('clusterDNS'), convert: list },
  { since: 12, from: edged('clusterDomain'), to: kubelet('clusterDomain') },
  { since: 12, from: edged('imageGCHighThreshold'), to: kubelet('imageGCHighThresholdPercent') },
  { since: 12, from: edged('imageGCLowThreshold'), to: kubelet('imageGCLowThresholdPercent') },
  {
    since: 12,
    from: edged('nodeStatusUpdateFrequency'),
    to: kubelet('nodeStatusUpdateFrequency'),
    convert: seconds,
  },
  { since: 12, from: edged('runtimeRequestTimeout'), to: kubelet('runtimeRequestTimeout'), convert: minutes },
  {
    since: 12,
    from: edged('imagePullProgressDeadline'),
    to: edged('imagePullProgressDeadline'),
    convert: seconds,
  },
  { since: 13, from: edged('registerWithTaints'), to: kubelet('registerWithTaints') },
  { since: 16, from: edged('remoteRuntimeEndpoint'), to: kubelet('containerRuntimeEndpoint') },
  { since: 16, from: edged('remoteImageEndpoint'), to: kubelet('imageServiceEndpoint') },
];

/** Fields that the old place keeps besides, because both are read for some releases. */
const kept = new Set(['remoteRuntimeEndpoint', 'remoteImageEndpoint']);

/** The same configuration in the form that another release reads; only upward, nobody goes back with a database. */
export function migrate(tree: Tree, from: Release, to: Release): Tree {
  const due = moves.filter(({ since }) => from.minor < since && to.minor >= since);
  const moved = due.reduce((result, move) => applyMove(result, move, to.minor), tree);
  const isCrossing = from.minor < 12 && to.minor >= 12;
  return isCrossing ? withValue(moved, ['apiVersion'], 'edgecore.config.kubeedge.io/v1alpha2') : moved;
}

function applyMove(tree: Tree, { from, to, convert }: Move, minor: number): Tree {
  const value = valueAt(tree, from);
  if (value === undefined) return tree;
  const isKept = kept.has(from.at(-1) ?? '') && minor < 18;
  const without = isKept ? tree : withValue(tree, from, undefined);
  if (isEmpty(value)) return without;
  return withValue(without, to, convert === undefined ? value : convert(value));
}

function isEmpty(value: unknown): boolean {
  if (value === '' || value === null) return true;
  return (Array.isArray(value) && value.length === 0) || (isTree(value) && Object.keys(value).length === 0);
}
