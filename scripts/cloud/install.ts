import { AgentError } from '../../agent/core/agent-error.ts';
import { findDevices } from './find-device.ts';
import { type InstallStep, planObject } from './install-plan.ts';
import type { Kube, KubeObject } from './kube.ts';
import {
  type CloudWishes,
  type DeviceGeneration,
  device,
  deviceGroup,
  deviceModel,
  isBoardEndpoint,
  lacksProperties,
  nodeRules,
  ownLabel,
  routerObjects,
} from './manifests.ts';
import { isEdge, type NodeView, viewNode } from './node-view.ts';

/** What is to be installed, and for whom. */
export interface InstallOptions extends CloudWishes {
  /** Names of nodes; empty means all edge nodes. */
  readonly nodes: readonly string[];
  /** Whether Devices that say nothing are deleted and created again. */
  readonly recreates: boolean;
}

/** The Device objects that this cluster knows. */
export async function generationOf(kube: Kube): Promise<DeviceGeneration> {
  const versions = await kube.versions(deviceGroup);
  if (versions.includes('v1beta1')) return 'v1beta1';
  if (versions.includes('v1alpha2')) return 'v1alpha2';
  const text = `Cannot install: the cluster knows no ${deviceGroup}; install KubeEdge's CRDs (build/crds/devices) first`;
  throw new AgentError('NOT_FOUND', text);
}

/** The nodes that are meant; a name that is no node is refused. */
export async function chosenNodes(kube: Kube, names: readonly string[]): Promise<readonly KubeObject[]> {
  const all = await kube.list('v1', 'Node');
  if (names.length === 0) return all.filter(isEdge);
  const missing = names.filter((name) => !all.some(({ metadata }) => metadata.name === name));
  if (missing.length > 0) {
    const known = all.filter(isEdge).map(({ metadata }) => metadata.name);
    const text = `Cannot find node ${missing.join(', ')}: edge nodes are ${known.join(', ') || 'none'}`;
    throw new AgentError('NOT_FOUND', text);
  }
  return all.filter(({ metadata }) => names.includes(metadata.name));
}

/** Compares what is wanted with what is there. Devices of nodes that are not connected now wait. */
export async function planInstall(
  kube: Kube,
  options: InstallOptions,
): Promise<{ readonly steps: readonly InstallStep[]; readonly waiting: readonly string[] }> {
  const generation = await generationOf(kube);
  const nodes = await chosenNodes(kube, options.nodes);
  const shared = [deviceModel(generation, options.namespace), ...routerObjects(options)];
  const steps: InstallStep[] = [];
  for (const object of shared) steps.push(planObject(object, await kube.read(object)));
  steps.push(...(await staleEndpoints(kube, options.namespace, shared)));
  const waiting: string[] = [];
  const { namespace } = options;
  const find = await findDevices(kube, { generation, namespace }, options.nodes.length === 0);
  for (const node of nodes) {
    const name = node.metadata.name;
    const wanted = device(generation, namespace, name);
    const { device: found, status } = await find(name);
    const view = viewNode(node, found, status);
    for (const rule of nodeRules(options, name)) steps.push(planObject(rule, await kube.read(rule)));
    const isConnected = view.ready?.status === 'True';
    const againBecause = reasonToRecreate(wanted, found, view, options);
    const mustBeNew = found === undefined || view.twin === undefined || againBecause !== undefined;
    if (mustBeNew && !isConnected) waiting.push(name);
    else steps.push(planObject(wanted, found, againBecause));
  }
  return { steps, waiting };
}

/** A board learns of its Device only when that is created, and then tells everything. */
function reasonToRecreate(
  wanted: KubeObject,
  found: KubeObject | undefined,
  { twin }: NodeView,
  { recreates }: InstallOptions,
): string | undefined {
  if (found === undefined) return undefined;
  if (lacksProperties(wanted, found)) return 'it lacks properties that the agent tells';
  return twin === undefined && recreates ? 'it has never reported' : undefined;
}

/** Endpoints of ports that are no longer wanted; after the rules that used them. */
async function staleEndpoints(
  kube: Kube,
  namespace: string,
  wanted: readonly KubeObject[],
): Promise<readonly InstallStep[]> {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const endpoints = await kube.list('rules.kubeedge.io/v1', 'RuleEndpoint', namespace);
  const stale = endpoints.filter(
    (one) => isOurs(one) && isBoardEndpoint(one) && !names.has(one.metadata.name),
  );
  return stale.map((object) => ({ act: 'remove', object }));
}

function isOurs({ metadata }: KubeObject): boolean {
  const [key = '', value] = ownLabel.split('=');
  return metadata.labels?.[key] === value;
}

/** Everything that an installation left in a namespace, in the order in which it can go. */
export async function planRemoval(kube: Kube, namespace: string): Promise<readonly InstallStep[]> {
  const generation = await generationOf(kube);
  const kinds = [
    ['rules.kubeedge.io/v1', 'Rule'],
    ['rules.kubeedge.io/v1', 'RuleEndpoint'],
    [`${deviceGroup}/${generation}`, 'Device'],
    [`${deviceGroup}/${generation}`, 'DeviceModel'],
  ] as const;
  const steps: InstallStep[] = [];
  for (const [apiVersion, kind] of kinds) {
    for (const object of await kube.list(apiVersion, kind, namespace)) {
      if (isOurs(object)) steps.push({ act: 'remove', object });
    }
  }
  return steps;
}

/** Does one step. */
export async function performStep(kube: Kube, step: InstallStep): Promise<void> {
  switch (step.act) {
    case 'keep':
      return;
    case 'create':
      await kube.create(step.object);
      return;
    case 'change':
      await kube.merge(step.object);
      return;
    case 'create again':
      await kube.remove(step.object);
      await kube.create(step.object);
      return;
    case 'remove':
      await kube.remove(step.object);
  }
}
