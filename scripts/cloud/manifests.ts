import { twinProperties } from '../../agent/report/twin-properties.ts';
import type { KubeObject } from './kube.ts';

/** Generations of KubeEdge's Device objects: v1alpha2 up to 1.14, v1beta1 from 1.15 on. */
export type DeviceGeneration = 'v1alpha2' | 'v1beta1';

/** What the cloud side is to look like. */
export interface CloudWishes {
  readonly namespace: string;
  /** Port of the agent's answers on the board (`query.port`). */
  readonly queryPort: number;
  /** Whether a path for signed commands is wanted. */
  readonly hasCommands: boolean;
  /** Where free reports go; undefined sets up none. */
  readonly reportUrl: string | undefined;
  /** Where answers to commands go; undefined sets up none. */
  readonly replyUrl: string | undefined;
}

/** Group of the Device objects. */
export const deviceGroup = 'devices.kubeedge.io';
/** Name of the model and prefix of all objects that belong to no node. */
const own = 'oh-edge-agent';
const labels = { 'app.kubernetes.io/managed-by': own } as const;

/** Label by which everything that was installed is found again. */
export const ownLabel = `app.kubernetes.io/managed-by=${own}`;

/** Paths below the router's address, without the node and the namespace. */
export const routerPaths = { health: '/agent-health', command: '/agent-command' } as const;

/** Beginning of the names of the endpoints on the boards, one for each port, without the prefix of all objects. */
const boardEndpoint = 'servicebus';

/** Name of a node's Device; the agent looks for exactly this one. */
export function deviceName(node: string): string {
  return `${node}-agent`;
}

/** The model of all Devices. Every property is a text: what is no text on the wire is refused by edgecore. */
export function deviceModel(generation: DeviceGeneration, namespace: string): KubeObject {
  const properties = twinProperties.map(({ name, help: description }) =>
    generation === 'v1beta1'
      ? { name, description, type: 'STRING', accessMode: 'ReadOnly' }
      : { name, description, type: { string: { accessMode: 'ReadOnly', defaultValue: '' } } },
  );
  return {
    apiVersion: `${deviceGroup}/${generation}`,
    kind: 'DeviceModel',
    metadata: { name: own, namespace, labels },
    spec: { properties, ...(generation === 'v1beta1' ? { protocol: own } : {}) },
  };
}

/** The Device of one node. */
export function device(generation: DeviceGeneration, namespace: string, node: string): KubeObject {
  const base = {
    apiVersion: `${deviceGroup}/${generation}`,
    kind: 'Device',
    metadata: { name: deviceName(node), namespace, labels },
  };
  const deviceModelRef = { name: own };
  if (generation === 'v1beta1') {
    const properties = twinProperties.map(({ name }) => ({ name, reportToCloud: true }));
    const protocol = { protocolName: own, configData: {} };
    return { ...base, spec: { deviceModelRef, nodeName: node, protocol, properties } };
  }
  const matchExpressions = [{ key: '', operator: 'In', values: [node] }];
  // Up to 1.15 the cloud merges reports only into twins that stand in the status already.
  const empty = { value: '', metadata: { type: 'string' } };
  const twins = twinProperties.map(({ name: propertyName }) => ({
    propertyName,
    desired: empty,
    reported: empty,
  }));
  return {
    ...base,
    spec: { deviceModelRef, nodeSelector: { nodeSelectorTerms: [{ matchExpressions }] } },
    status: { twins },
  };
}

/**
 * Reports whether a Device lacks properties that the agent tells, because it was made for an older one. Its cloud drops
 * what is said of them; and of a Device that only changes, the board learns nothing.
 */
export function lacksProperties(wanted: KubeObject, found: KubeObject): boolean {
  const names = new Set(propertyNames(found));
  return propertyNames(wanted).some((name) => !names.has(name));
}

/** v1beta1 lists the properties in its spec, v1alpha2 knows them by the twins of its status. */
function propertyNames({ spec, status }: KubeObject): readonly unknown[] {
  const properties = (spec?.['properties'] ?? []) as readonly { readonly name: unknown }[];
  const twins = (status?.['twins'] ?? []) as readonly { readonly propertyName: unknown }[];
  return 'nodeSelector' in (spec ?? {})
    ? twins.map(({ propertyName }) => propertyName)
    : properties.map(({ name }) => name);
}

/** Endpoints and rules of KubeEdge's router; they serve all nodes of the cluster. */
export function routerObjects(wishes: CloudWishes): readonly KubeObject[] {
  const { namespace, queryPort, hasCommands, reportUrl, replyUrl } = wishes;
  const hasTopics = hasCommands || reportUrl !== undefined || replyUrl !== undefined;
  const endpoint = (
    name: string,
    ruleEndpointType: string,
    properties: Record<string, string> = {},
  ): KubeObject => ({
    apiVersion: 'rules.kubeedge.io/v1',
    kind: 'RuleEndpoint',
    metadata: { name: `${own}-${name}`, namespace, labels },
    spec: { ruleEndpointType, properties },
  });
  const rule = (
    name: string,
    from: readonly [string, object],
    to: readonly [string, object],
  ): KubeObject => ({
    apiVersion: 'rules.kubeedge.io/v1',
    kind: 'Rule',
    metadata: { name: `${own}-${name}`, namespace, labels },
    spec: {
      source: `${own}-${from[0]}`,
      sourceResource: from[1],
      target: `${own}-${to[0]}`,
      targetResource: to[1],
    },
  });
  // The port is part of the name: a rule keeps the endpoint that it was created with, whatever becomes of that.
  const board = `${boardEndpoint}-${queryPort}`;
  const health = rule(
    'health',
    ['rest', { path: routerPaths.health }],
    [board, { path: routerPaths.health }],
  );
  const command = rule(
    'command',
    ['rest', { path: routerPaths.command }],
    ['eventbus', { topic: 'agent/cmd' }],
  );
  return [
    endpoint('rest', 'rest'),
    endpoint(board, 'servicebus', { service_port: String(queryPort) }),
    ...(hasTopics ? [endpoint('eventbus', 'eventbus')] : []),
    health,
    ...(hasCommands ? [command] : []),
  ];
}

/** Reports whether an endpoint is one of ours on the boards, of whatever port. */
export function isBoardEndpoint({ kind, metadata }: KubeObject): boolean {
  return kind === 'RuleEndpoint' && metadata.name.startsWith(`${own}-${boardEndpoint}`);
}

/** Rules for what one node says by itself, reports and answers to commands: here the router wants the name of the node. */
export function nodeRules(
  { namespace, reportUrl, replyUrl }: CloudWishes,
  node: string,
): readonly KubeObject[] {
  const wanted = { report: reportUrl, reply: replyUrl };
  return Object.entries(wanted).flatMap(([kind, resource]) => {
    if (resource === undefined) return [];
    const source = { topic: `agent/${kind}`, node_name: node };
    const spec = {
      source: `${own}-eventbus`,
      sourceResource: source,
      target: `${own}-rest`,
      targetResource: { resource },
    };
    const metadata = { name: `${own}-${kind}-${node}`, namespace, labels };
    return [{ apiVersion: 'rules.kubeedge.io/v1', kind: 'Rule', metadata, spec }];
  });
}
