import { type CloudAddress, defaultPorts, joinHostPort } from './cloud-address.ts';
import type { RuntimeKind } from './compatibility.ts';
import type { Release } from './release.ts';
import type { TreePath } from './tree.ts';

/** One taint of the Node, as Kubernetes writes it. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What this board is to be in its cluster: everything that decides edgecore.yaml besides the release. */
export interface EdgeSettings {
  readonly node: string;
  readonly cloud: CloudAddress;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly runtime: { readonly kind: RuntimeKind; readonly endpoint: string };
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** Sandbox image; undefined leaves the release's own. */
  readonly pauseImage: string | undefined;
  /** Address of the board; undefined lets edgecore look for one, which fails where table main has no default route. */
  readonly nodeIp: string | undefined;
  readonly mqtt: { readonly mode: 'internal' | 'both' | 'external'; readonly externalUrl: string };
  /** `kubectl logs` and `exec` through cloudcore's port 10004. */
  readonly hasEdgeStream: boolean;
  /** edgecore's own kube-API on 127.0.0.1:10550. */
  readonly hasMetaServer: boolean;
  /** Remote queries through the cloud's router. */
  readonly hasServiceBus: boolean;
}

/** One value that edgecore.yaml must have. */
export interface WantedValue {
  readonly path: TreePath;
  readonly value: unknown;
  /** Whether it wins over the operator's: identity and addresses that were just asked for. */
  readonly isBinding: boolean;
}

const mqttModes = { internal: 0, both: 1, external: 2 } as const;

/** Values to set over the defaults of the release, and no more: what is not named stays what the release chose. */
export function wantedValues(release: Release, settings: EdgeSettings): readonly WantedValue[] {
  const edged = release.minor < 12 ? edgedAlpha1(settings) : edgedAlpha2(release, settings);
  return [
    ...(release.minor >= 21 ? [binding(['edgecoreVersion'], release.text)] : []),
    ...hubValues(settings),
    ...edged,
    ...moduleValues(release, settings),
  ];
}

function hubValues({ cloud }: EdgeSettings): readonly WantedValue[] {
  const hub = (...rest: readonly string[]): TreePath => ['modules', 'edgeHub', ...rest];
  return [
    free(hub('enable'), true),
    binding(hub('httpServer'), `https://${joinHostPort(cloud.host, cloud.enrolPort)}`),
    binding(hub('websocket', 'enable'), true),
    binding(hub('websocket', 'server'), joinHostPort(cloud.host, cloud.hubPort)),
    binding(hub('quic', 'enable'), false),
  ];
}

function moduleValues(release: Release, settings: EdgeSettings): readonly WantedValue[] {
  const module = (name: string, ...rest: readonly string[]): TreePath => ['modules', name, ...rest];
  const stream = joinHostPort(settings.cloud.host, defaultPorts.stream);
  return [
    free(module('eventBus', 'enable'), true),
    free(module('eventBus', 'mqttMode'), mqttModes[settings.mqtt.mode]),
    free(module('eventBus', 'mqttServerExternal'), settings.mqtt.externalUrl),
    free(module('deviceTwin', 'enable'), true),
    free(module('metaManager', 'metaServer', 'enable'), settings.hasMetaServer),
    free(module('serviceBus', 'enable'), settings.hasServiceBus),
    free(module('edgeStream', 'enable'), settings.hasEdgeStream),
    ...(settings.hasEdgeStream ? [free(module('edgeStream', 'server'), stream)] : []),
    // An upgrade job of the cloud would run keadm, which wants systemd, and race with the supervision.
    ...(release.minor >= 21 ? [free(module('taskManager', 'enable'), false)] : []),
  ];
}

function edgedAlpha1(settings: EdgeSettings): readonly WantedValue[] {
  const edged = (name: string): TreePath => ['modules', 'edged', name];
  const { runtime } = settings;
  return [
    free(edged('enable'), true),
    binding(edged('hostnameOverride'), settings.node),
    free(edged('cgroupDriver'), settings.cgroupDriver),
    free(edged('runtimeType'), runtime.kind === 'docker' ? 'docker' : 'remote'),
    ...(runtime.kind === 'docker'
      ? [free(edged('dockerAddress'), runtime.endpoint)]
      : endpoints(edged, runtime.endpoint)),
    ...optional(edged('nodeIP'), settings.nodeIp),
    ...optional(edged('podSandboxImage'), settings.pauseImage),
    ...labelValues(edged('labels'), settings),
    ...(settings.taints.length > 0 ? [free(edged('taints'), settings.taints)] : []),
  ];
}

function edgedAlpha2(release: Release, settings: EdgeSettings): readonly WantedValue[] {
  const edged = (...rest: readonly string[]): TreePath => ['modules', 'edged', ...rest];
  const kubelet = (name: string): TreePath => edged('tailoredKubeletConfig', name);
  const { minor } = release;
  const taintPath = minor < 13 ? edged('registerWithTaints') : kubelet('registerWithTaints');
  return [
    free(edged('enable'), true),
    binding(edged('hostnameOverride'), settings.node),
    free(kubelet('cgroupDriver'), settings.cgroupDriver),
    // The default lies on the read-only root of a board.
    free(kubelet('volumePluginDir'), '/var/lib/kubelet/volumeplugins'),
    ...runtimeAlpha2(minor, settings),
    ...optional(edged('nodeIP'), settings.nodeIp),
    ...optional(edged('podSandboxImage'), settings.pauseImage),
    ...labelValues(edged('nodeLabels'), settings),
    ...(settings.taints.length > 0 ? [free(taintPath, settings.taints)] : []),
  ];
}

/** Where the endpoint stands moved twice; writing it where a release does not read it would only mislead. */
function runtimeAlpha2(minor: number, { runtime }: EdgeSettings): readonly WantedValue[] {
  const edged = (name: string): TreePath => ['modules', 'edged', name];
  const kubelet = (name: string): TreePath => ['modules', 'edged', 'tailoredKubeletConfig', name];
  if (runtime.kind === 'docker') {
    return [
      free(edged('containerRuntime'), 'docker'),
      free(edged('dockerEndpoint'), runtime.endpoint),
      free(edged('dockershimRootDirectory'), '/var/lib/dockershim'),
    ];
  }
  return [
    ...(minor < 18 ? [free(edged('containerRuntime'), 'remote'), ...endpoints(edged, runtime.endpoint)] : []),
    // Images have a default of their own from 1.16 on, and edgecore 1.22 does not start where nobody answers there.
    ...(minor >= 16
      ? [
          free(kubelet('containerRuntimeEndpoint'), runtime.endpoint),
          free(kubelet('imageServiceEndpoint'), runtime.endpoint),
        ]
      : []),
  ];
}

function endpoints(edged: (name: string) => TreePath, endpoint: string): readonly WantedValue[] {
  return [free(edged('remoteRuntimeEndpoint'), endpoint), free(edged('remoteImageEndpoint'), endpoint)];
}

/** Each label by itself, so that labels which the operator added in the file stay. */
function labelValues(path: TreePath, { labels }: EdgeSettings): readonly WantedValue[] {
  return Object.entries(labels).map(([name, value]) => free([...path, name], value));
}

function optional(path: TreePath, value: string | undefined): readonly WantedValue[] {
  return value === undefined ? [] : [free(path, value)];
}

function free(path: TreePath, value: unknown): WantedValue {
  return { path, value, isBinding: false };
}

function binding(path: TreePath, value: unknown): WantedValue {
  return { path, value, isBinding: true };
}
