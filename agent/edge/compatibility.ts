import type { Tree } from './tree.ts';
import { isTree, valueAt } from './tree.ts';

/** Ways of edgecore to start containers. */
export type RuntimeKind = 'docker' | 'cri';

/** What is known of one release line. */
export interface ReleaseFacts {
  readonly minor: number;
  /** Kubernetes inside. */
  readonly kubernetes: string;
  /** apiVersion of edgecore.yaml. */
  readonly apiVersion: 'v1alpha1' | 'v1alpha2';
  /** Runtimes that can be used, the better one first. */
  readonly runtimes: readonly RuntimeKind[];
  /** Lowest CRI that it speaks; containerd 1.6 serves both, later ones only v1. */
  readonly cri: 'v1alpha2' | 'v1';
  /** Sandbox image by default. */
  readonly pauseImage: string;
  /** Root directory by default. */
  readonly rootDirectory: string;
}

/**
 * Release lines of KubeEdge (go.mod, common/constants/default.go and pkg/apis/componentconfig/edgecore of the tags
 * v1.10.3 to v1.23.1). dockershim is inside until 1.13; from 1.14 on docker works through its containerd only.
 */
const table: readonly ReleaseFacts[] = [
  row(10, '1.22'),
  row(11, '1.22'),
  row(12, '1.22'),
  row(13, '1.23'),
  row(14, '1.24'),
  row(15, '1.26'),
  row(16, '1.27'),
  row(17, '1.28'),
  row(18, '1.29'),
  row(19, '1.29'),
  row(20, '1.30'),
  row(21, '1.30'),
  row(22, '1.31'),
  row(23, '1.32'),
];

function row(minor: number, kubernetes: string): ReleaseFacts {
  return {
    minor,
    kubernetes,
    apiVersion: minor < 12 ? 'v1alpha1' : 'v1alpha2',
    runtimes: runtimesOf(minor),
    cri: minor < 15 ? 'v1alpha2' : 'v1',
    pauseImage: `kubeedge/pause:${minor < 13 ? '3.1' : '3.6'}`,
    rootDirectory: minor < 20 ? '/var/lib/edged' : '/var/lib/kubelet',
  };
}

function runtimesOf(minor: number): readonly RuntimeKind[] {
  if (minor < 14) return ['docker', 'cri'];
  return ['cri'];
}

/** Facts of a release line; a later one than the last known is taken for that one. */
export function factsOf(minor: number): ReleaseFacts {
  const last = table.at(-1);
  const found = table.find((facts) => facts.minor === minor) ?? (minor < 10 ? table[0] : last);
  if (found === undefined) throw new RangeError(`no facts for KubeEdge 1.${minor}`);
  return found;
}

/** Keys of the default configuration that a release line brought, newest first: they tell lines apart. */
const marks: readonly { readonly minor: number; readonly path: readonly string[] }[] = [
  { minor: 23, path: ['modules', 'edged', 'tailoredKubeletConfig', 'crashLoopBackOff'] },
  { minor: 22, path: ['modules', 'edged', 'tailoredKubeletConfig', 'failCgroupV1'] },
  { minor: 21, path: ['modules', 'taskManager'] },
  { minor: 19, path: ['modules', 'edged', 'reportEvent'] },
  { minor: 17, path: ['modules', 'metaManager', 'metaServer', 'dummyServer'] },
  { minor: 16, path: ['modules', 'deviceTwin', 'dmiSockPath'] },
  { minor: 15, path: ['modules', 'edged', 'tailoredKubeletConfig', 'staticPodPath'] },
];

/**
 * Tells the release line from what `edgecore --defaultconfig` prints: the last resort where neither a file nor the
 * program itself names the release. Undefined where the tree is no edgecore configuration.
 */
export function minorOfDefaults(defaults: Tree): number | undefined {
  const apiVersion = defaults['apiVersion'];
  const edged = valueAt(defaults, ['modules', 'edged']);
  if (typeof apiVersion !== 'string' || !isTree(edged)) return undefined;
  if (apiVersion.endsWith('/v1alpha1')) return 11;
  const mark = marks.find(({ path }) => valueAt(defaults, path) !== undefined);
  if (mark === undefined) return minorOfRuntime(edged);
  if (mark.minor === 17) return edged['containerRuntime'] === undefined ? 18 : 17;
  if (mark.minor === 19) return edged['rootDirectory'] === '/var/lib/edged' ? 19 : 20;
  return mark.minor;
}

function minorOfRuntime(edged: Tree): number {
  if (edged['containerRuntime'] === 'docker') return 12;
  return edged['cniConfDir'] === undefined ? 14 : 13;
}
