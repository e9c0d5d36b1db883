import { isGoodOnNode } from '../../agent/report/cloud-plan.ts';
import { decodeTwinText } from '../../agent/report/twin-text.ts';
import type { KubeObject } from './kube.ts';

/** A condition as the Node object has it. */
export interface SeenCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastHeartbeatTime: string | undefined;
  readonly lastTransitionTime: string | undefined;
}

/** One node with both views of it: Kubernetes' and the agent's. */
export interface NodeView {
  readonly node: string;
  /** Kubernetes' own condition. */
  readonly ready: SeenCondition | undefined;
  readonly kubelet: string;
  /** Conditions that the agent wrote, the bad ones first. */
  readonly conditions: readonly SeenCondition[];
  /** What the twin says, decoded; undefined where there is no Device or it says nothing yet. */
  readonly twin: Readonly<Record<string, string>> | undefined;
  readonly hasDevice: boolean;
}

/** Types that the kubelet and Kubernetes write. */
const kubernetesOwn = new Set([
  'Ready',
  'MemoryPressure',
  'DiskPressure',
  'PIDPressure',
  'NetworkUnavailable',
]);

/** Puts the objects about one node together. From 1.23 on the twins stand in a DeviceStatus instead of the Device. */
export function viewNode(
  node: KubeObject,
  device: KubeObject | undefined,
  deviceStatus: KubeObject | undefined,
): NodeView {
  const all = conditionsOf(node);
  const agents = all.filter(({ type }) => !kubernetesOwn.has(type));
  const values = twinOf(deviceStatus) ?? twinOf(device);
  const info = (node.status?.['nodeInfo'] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    node: node.metadata.name,
    ready: all.find(({ type }) => type === 'Ready'),
    kubelet: textOf(info['kubeletVersion']),
    conditions: agents.toSorted(
      (a, b) => Number(isGood(a)) - Number(isGood(b)) || a.type.localeCompare(b.type),
    ),
    twin: values,
    hasDevice: device !== undefined,
  };
}

/** Reports whether a condition is in its good state. */
export function isGood({ type, status }: SeenCondition): boolean {
  const known = status === 'True' || status === 'False' ? status : 'Unknown';
  return isGoodOnNode(type, { status: known, reason: '', message: '', sinceMs: 0 });
}

/** Reports whether a node belongs to KubeEdge. */
export function isEdge({ metadata }: KubeObject): boolean {
  return metadata.labels?.['node-role.kubernetes.io/edge'] !== undefined;
}

function conditionsOf({ status }: KubeObject): readonly SeenCondition[] {
  const list = Array.isArray(status?.['conditions']) ? (status['conditions'] as unknown[]) : [];
  return list.map((item) => {
    const fields = (item ?? {}) as Readonly<Record<string, unknown>>;
    return {
      type: textOf(fields['type']),
      status: textOf(fields['status']),
      reason: textOf(fields['reason']),
      message: textOf(fields['message']),
      lastHeartbeatTime: timeOf(fields['lastHeartbeatTime']),
      lastTransitionTime: timeOf(fields['lastTransitionTime']),
    };
  });
}

function twinOf(object: KubeObject | undefined): Readonly<Record<string, string>> | undefined {
  const twins = object?.status?.['twins'];
  if (!Array.isArray(twins)) return undefined;
  const entries = (twins as readonly unknown[]).flatMap((item): [string, string][] => {
    const { propertyName, reported } = item as {
      propertyName?: unknown;
      reported?: { value?: unknown } | null;
    };
    const value = textOf(reported?.value);
    return typeof propertyName === 'string' && value !== '' ? [[propertyName, decodeTwinText(value)]] : [];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The client library makes dates of the times of built-in objects. */
function timeOf(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : undefined;
}
