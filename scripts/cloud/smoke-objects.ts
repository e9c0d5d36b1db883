import type { KubeObject } from './kube.ts';

/** What the end-to-end test puts on a node. */
export interface SmokeWishes {
  readonly node: string;
  readonly namespace: string;
  readonly image: string;
  /** Makes names unique, so that two tests do not meet. */
  readonly nonce: string;
  /** Whether the pod has the network of the board instead of one of its own. */
  readonly isHostNetwork: boolean;
}

/** What the container prints and the log must hold. */
export function smokeLine(nonce: string): string {
  return `oh-edge-agent smoke ${nonce}`;
}

/** Name of pod and Service. */
export function smokeName({ nonce, isHostNetwork }: SmokeWishes): string {
  return `agent-smoke-${isHostNetwork ? 'host' : 'pod'}-${nonce}`;
}

/** A pod for exactly this node. It asks for no service account token: an edge node may have none to give. */
export function smokePod(wishes: SmokeWishes): KubeObject {
  const { node, namespace, image, nonce, isHostNetwork } = wishes;
  const name = smokeName(wishes);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: name } },
    spec: {
      nodeName: node,
      hostNetwork: isHostNetwork,
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        {
          name: 'smoke',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/sh', '-c', `echo ${smokeLine(nonce)}; sleep 600`],
        },
      ],
    },
  };
}

/** A Service in front of the pod: that it can be made at all is what is tried. */
export function smokeService(wishes: SmokeWishes): KubeObject {
  const name = smokeName(wishes);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: wishes.namespace, labels: { app: name } },
    spec: { selector: { app: name }, ports: [{ port: 80 }] },
  };
}

/** How far a pod is: running, ended or failed for good, or why it waits. */
export type PodState =
  | { readonly phase: 'running' }
  | { readonly phase: 'over'; readonly why: string }
  | { readonly phase: 'waiting'; readonly why: string };

interface PodStatus {
  readonly phase?: string;
  readonly message?: string;
  readonly containerStatuses?: readonly { readonly state?: Readonly<Record<string, Said>> }[];
  readonly conditions?: readonly (Said & { readonly type: string; readonly status: string })[];
}

interface Said {
  readonly reason?: string;
  readonly message?: string;
}

/** Reads the state of a pod. A reason of the kubelet is worth more than a phase. */
export function podState(pod: KubeObject | undefined): PodState {
  if (pod === undefined) return { phase: 'over', why: 'the pod is gone' };
  const status = (pod.status ?? {}) as PodStatus;
  const state = status.containerStatuses?.[0]?.state ?? {};
  if (status.phase === 'Running' && state['running'] !== undefined) return { phase: 'running' };
  const isOver = status.phase === 'Failed' || status.phase === 'Succeeded';
  return { phase: isOver ? 'over' : 'waiting', why: whyOf(status, state['waiting'] ?? state['terminated']) };
}

function whyOf({ phase, message, conditions }: PodStatus, held: Said | undefined): string {
  const condition = conditions?.find(({ status, reason }) => status === 'False' && reason !== undefined);
  return words(held) ?? message ?? words(condition) ?? `phase ${phase ?? 'unknown'}`;
}

function words(
  from: { readonly reason?: string; readonly message?: string } | undefined,
): string | undefined {
  if (from?.reason === undefined) return undefined;
  return from.message === undefined ? from.reason : `${from.reason}: ${from.message}`;
}
