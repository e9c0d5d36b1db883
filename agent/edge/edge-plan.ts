import { cniConflist, cniPlugins, conflistName } from './cni.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { NodeRecord } from './node-record.ts';
import type { Release } from './release.ts';
import { needsManagedCri } from './runtime-choice.ts';
import type { EdgeSettings } from './wanted-values.ts';

interface StepBase {
  readonly id: string;
  /** What is done, in words without secrets. */
  readonly what: string;
  readonly why: string;
  /** Whether the rest goes on where it cannot be done. @default false */
  readonly isOptional?: true;
}

/** One act of joining or leaving, as plain data. Tokens are not part of it: the executor holds them. */
export type EdgeStep = StepBase &
  (
    | { readonly kind: 'make-directory'; readonly path: string; readonly mode: number }
    | { readonly kind: 'write-file'; readonly path: string; readonly text: string; readonly mode: number }
    | { readonly kind: 'copy-file'; readonly from: string; readonly to: string }
    | { readonly kind: 'remove-file'; readonly path: string }
    | { readonly kind: 'move-file'; readonly from: string; readonly to: string }
    | { readonly kind: 'write-config'; readonly holdsToken: boolean }
    | { readonly kind: 'write-token'; readonly path: string }
    | { readonly kind: 'write-record'; readonly record: NodeRecord }
    | { readonly kind: 'remove-record' }
    | { readonly kind: 'restart-dockerd' }
    | { readonly kind: 'start-edgecore' }
    | { readonly kind: 'stop-edgecore' }
    | { readonly kind: 'retract' }
    | { readonly kind: 'remove-pods'; readonly withImages: boolean }
  );

/** What the plan of a join depends on besides the order. */
export interface JoinSituation {
  readonly settings: EdgeSettings;
  readonly release: Release;
  readonly record: NodeRecord | undefined;
  /** Whether a token is there and will be used: certificates are fetched anew. */
  readonly isEnrolling: boolean;
  readonly hasCertificates: boolean;
  /** Whether cloud and authority are others than those that were joined before. */
  readonly isOtherCluster: boolean;
  /** Whether edgecore runs now or would start by itself. */
  readonly isActive: boolean;
  readonly cni: { readonly plugins: readonly string[]; readonly networks: readonly string[] };
  /** Plugins in /opt/cni/bin; the others are copied from the parts. */
  readonly installedPlugins: readonly string[];
  readonly podSubnet: string;
  /** Dotted names whose values the operator changed. */
  readonly kept: readonly string[];
  readonly kubeedge: string | undefined;
  readonly nowMs: number;
}

/** Steps from what is there to a node that runs. Nothing in it is done before every check has passed. */
export function planJoin(situation: JoinSituation, places: EdgePlaces): readonly EdgeStep[] {
  const { settings, record, isEnrolling, hasCertificates, isActive, isOtherCluster } = situation;
  const isRenamed = record !== undefined && record.node !== settings.node;
  return [
    ...(isActive ? [stopEdgecore('It reads its configuration only when it starts.')] : []),
    ...directories(places),
    ...(isEnrolling && hasCertificates
      ? removeAll(certificateFiles(places), 'New ones come with the token.')
      : []),
    ...(isRenamed || isOtherCluster ? moveDatabase(places) : []),
    writeConfig(situation, places),
    ...(isEnrolling ? tokenSteps(situation, places) : []),
    ...networkSteps(situation, places),
    {
      kind: 'write-record',
      id: 'record',
      what: `remember that this board is ${settings.node}`,
      why: 'The next start needs no order.',
      record: recordOf(situation),
    },
    ...criSteps(situation, places),
    { kind: 'start-edgecore', id: 'start', what: 'start edgecore', why: 'It registers the node.' },
  ];
}

/** Steps that undo a join. What edgecore made goes too; images stay unless asked for. */
export function planLeave(
  options: {
    readonly isActive: boolean;
    readonly removesPods: boolean;
    readonly removesImages: boolean;
    /** Broken databases and configurations that were set aside: what the cluster sent is in them too. */
    readonly setAside: readonly string[];
  },
  places: EdgePlaces,
): readonly EdgeStep[] {
  const { isActive, removesPods, removesImages, setAside } = options;
  const why = 'The board belongs to no cluster any more.';
  return [
    ...(isActive ? [stopEdgecore(why)] : []),
    retract,
    ...(removesPods || removesImages ? [removePods(removesImages)] : []),
    ...removeAll([...certificateFiles(places), places.bootstrapFile], why),
    ...removeAll([...databaseFiles(places), ...setAside], why),
    ...removeAll([`${places.cniConfDir}/${conflistName}`], why),
    { kind: 'remove-record', id: 'record', what: 'forget the cluster, and remove edgecore.yaml', why },
  ];
}

/** Certificates and key of the node. */
export function certificateFiles(places: EdgePlaces): readonly string[] {
  return [places.keyFile, places.certFile, places.caFile];
}

/** Files of edgecore's database. */
export function databaseFiles({ databaseFile }: EdgePlaces): readonly string[] {
  return [databaseFile, `${databaseFile}-journal`, `${databaseFile}-wal`, `${databaseFile}-shm`];
}

/** Moved and not removed, so that a join that the cloud refuses can be undone. */
function moveDatabase(places: EdgePlaces): readonly EdgeStep[] {
  return databaseFiles(places).map((from) => ({
    kind: 'move-file',
    id: `move:${from}`,
    what: `move ${from} away`,
    why: 'Pods and devices of the old node are in it; it is removed when the new one is in the cloud.',
    from,
    to: `${from}.before`,
  }));
}

function directories(places: EdgePlaces): readonly EdgeStep[] {
  const make = (path: string, mode: number, why: string): EdgeStep => ({
    kind: 'make-directory',
    id: `dir:${path}`,
    what: `make directory ${path} (0${mode.toString(8)})`,
    why,
    path,
    mode,
  });
  return [
    make(parent(places.configFile), 0o700, 'edgecore.yaml may hold a token.'),
    make(
      parent(places.caFile),
      0o700,
      'edgecore writes its certificates with whatever mode the release has.',
    ),
    make(parent(places.certFile), 0o700, 'The private key lies here.'),
    make(parent(places.databaseFile), 0o750, 'edgecore keeps its database here.'),
    make(places.stateDir, 0o700, 'What we must remember is kept here.'),
  ];
}

function writeConfig({ release, kept, isEnrolling }: JoinSituation, { configFile }: EdgePlaces): EdgeStep {
  const keeps = kept.length === 0 ? '' : `, keeping your changes of ${kept.join(', ')}`;
  const holdsToken = isEnrolling && release.minor < 13;
  return {
    kind: 'write-config',
    id: 'config',
    what: `write ${configFile} for KubeEdge ${release.text}${keeps}`,
    why: 'Made from what this edgecore prints as its defaults.',
    holdsToken,
  };
}

function tokenSteps(
  { release }: JoinSituation,
  { bootstrapFile, configFile }: EdgePlaces,
): readonly EdgeStep[] {
  // Up to 1.12 the token stands in edgecore.yaml itself; from 1.13 on this file wins over it.
  if (release.minor < 13)
    return removeAll([bootstrapFile], `${release.text} takes the token from ${configFile}.`);
  return [
    {
      kind: 'write-token',
      id: 'token',
      what: `write the token to ${bootstrapFile} (0600)`,
      why: 'edgecore reads it at its start; it is removed as soon as the certificate is there.',
      path: bootstrapFile,
    },
  ];
}

function networkSteps(situation: JoinSituation, places: EdgePlaces): readonly EdgeStep[] {
  const { settings, installedPlugins, cni, podSubnet } = situation;
  if (settings.runtime.kind === 'docker') return [];
  const copies = cniPlugins
    .filter((name) => !installedPlugins.includes(name))
    .map((name): EdgeStep => {
      const to = `${places.cniBinDir}/${name}`;
      return {
        kind: 'copy-file',
        id: `plugin:${name}`,
        what: `copy the CNI plugin ${name} to ${to}`,
        why: 'containerd calls it for each pod.',
        from: `${places.cniSourceDir}/${name}`,
        to,
      };
    });
  const others = cni.networks.filter((name) => name !== conflistName && /\.(conflist|conf|json)$/.test(name));
  if (others.length > 0) return copies;
  const path = `${places.cniConfDir}/${conflistName}`;
  const network: EdgeStep = {
    kind: 'write-file',
    id: 'network',
    what: `write the pod network ${podSubnet} to ${path}`,
    why: 'Without a network the node never becomes Ready.',
    path,
    text: cniConflist(podSubnet),
    mode: 0o644,
  };
  return [...copies, network];
}

function criSteps({ settings, record }: JoinSituation, places: EdgePlaces): readonly EdgeStep[] {
  const had = record !== undefined && needsManagedCri(record.runtime, places);
  if (!needsManagedCri(settings.runtime, places) || had) return [];
  const why = 'Its containerd must serve CRI from now on; running containers go on (live-restore).';
  return [{ kind: 'restart-dockerd', id: 'dockerd', what: 'restart dockerd with --cri-containerd', why }];
}

function recordOf({ settings, kubeedge, nowMs }: JoinSituation): NodeRecord {
  const { nodeIp: _nodeIp, ...rest } = settings;
  return { ...rest, kubeedge, joinedAtMs: nowMs };
}

function stopEdgecore(why: string): EdgeStep {
  return { kind: 'stop-edgecore', id: 'stop', what: 'stop edgecore', why };
}

/** After edgecore, because a cloud that enforces authorization hears one session of a node only; before its certificate goes. */
const retract: EdgeStep = {
  kind: 'retract',
  id: 'conditions',
  what: 'take our conditions off the Node object',
  why: 'Nobody corrects them once the board has left.',
  isOptional: true,
};

function removePods(withImages: boolean): EdgeStep {
  const images = withImages ? ' and their images' : '';
  const why = 'Nobody looks after them once edgecore is gone.';
  const what = `remove the containers of pods${images}`;
  return { kind: 'remove-pods', id: 'pods', what, why, withImages, isOptional: true };
}

function removeAll(paths: readonly string[], why: string): readonly EdgeStep[] {
  return paths.map((path) => ({
    kind: 'remove-file',
    id: `remove:${path}`,
    what: `remove ${path}`,
    why,
    path,
  }));
}

function parent(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
