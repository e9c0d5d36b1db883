import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import type { JoinOrder, OrderProblem } from './join-order.ts';
import { nodeNameProblem } from './node-name.ts';
import type { NodeRecord } from './node-record.ts';
import type { Release } from './release.ts';
import { chooseRuntime } from './runtime-choice.ts';
import type { EdgeSettings } from './wanted-values.ts';

/** Everything that settings are put together from; what comes first wins: order, record, configuration. */
export interface SettingsSources {
  readonly order: JoinOrder;
  readonly record: NodeRecord | undefined;
  readonly config: EdgeConfig;
  readonly release: Release;
  readonly places: EdgePlaces;
  readonly nodeIp: string | undefined;
}

/** Complete settings, or everything that is missing or does not fit. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: EdgeSettings }
  | { readonly ok: false; readonly problems: readonly OrderProblem[] };

/** Puts the settings of a board together for an order to join. */
export function settingsFor(sources: SettingsSources): SettingsResult {
  const { order, record, config, release, places, nodeIp } = sources;
  const node = order.nodeName ?? record?.node ?? config['node.name'];
  const cloud = order.cloud ?? record?.cloud;
  const choice = chooseRuntime(release, wishOf(sources), places);
  const nameProblem = nodeNameProblem(node);
  const problems: OrderProblem[] = [];
  if (nameProblem !== undefined) problems.push({ field: 'nodeName', problem: nameProblem });
  if (cloud === undefined)
    problems.push({ field: 'cloudcore', problem: 'is missing; give --cloudcore HOST[:PORT]' });
  if (!choice.ok) problems.push({ field: 'runtime', problem: choice.message });
  if (cloud === undefined || !choice.ok || problems.length > 0) return { ok: false, problems };
  const settings: EdgeSettings = {
    node,
    cloud,
    runtime: choice.runtime,
    nodeIp,
    ...shapeOf(sources),
    mqtt: mqttOf(sources),
    ...switchesOf(sources),
  };
  return { ok: true, settings };
}

function shapeOf({
  order,
  record,
  config,
}: SettingsSources): Pick<EdgeSettings, 'labels' | 'taints' | 'cgroupDriver' | 'pauseImage'> {
  const before: ReturnType<typeof shapeOf> = record ?? {
    labels: {},
    taints: [],
    cgroupDriver: 'cgroupfs',
    pauseImage: given(config['edgecore.pauseImage']),
  };
  return {
    labels: order.labels ?? before.labels,
    taints: order.taints ?? before.taints,
    cgroupDriver: order.cgroupDriver ?? before.cgroupDriver,
    pauseImage: order.pauseImage ?? before.pauseImage,
  };
}

/** Settings of a node that has joined, for a start: only its address may be another one. */
export function settingsOfRecord(record: NodeRecord, nodeIp: string | undefined): EdgeSettings {
  const { kubeedge: _kubeedge, joinedAtMs: _joinedAtMs, ...settings } = record;
  return { ...settings, nodeIp };
}

function wishOf({ order, record, config, release }: SettingsSources): Parameters<typeof chooseRuntime>[1] {
  const recorded = record !== undefined && order.runtime === undefined ? record.runtime : undefined;
  // A node that used docker goes on with CRI when its new release has no dockershim.
  const isOutdated = recorded?.kind === 'docker' && release.minor >= 14;
  if (recorded !== undefined && !isOutdated && order.criEndpoint === undefined) {
    return { runtime: recorded.kind, criEndpoint: recorded.kind === 'cri' ? recorded.endpoint : undefined };
  }
  return {
    runtime: order.runtime ?? config['edgecore.runtime'],
    criEndpoint: order.criEndpoint ?? given(config['edgecore.criEndpoint']),
  };
}

function mqttOf({ order, record, config }: SettingsSources): EdgeSettings['mqtt'] {
  return {
    mode: order.mqtt ?? record?.mqtt.mode ?? config['edgecore.mqtt'],
    externalUrl: order.mqttServer ?? record?.mqtt.externalUrl ?? config['edgecore.mqttServer'],
  };
}

function switchesOf({
  order,
  record,
  config,
}: SettingsSources): Pick<EdgeSettings, 'hasEdgeStream' | 'hasMetaServer' | 'hasServiceBus'> {
  return {
    hasEdgeStream: order.edgeStream ?? record?.hasEdgeStream ?? config['edgecore.edgeStream'],
    hasMetaServer: order.metaServer ?? record?.hasMetaServer ?? config['edgecore.metaServer'],
    hasServiceBus: order.serviceBus ?? record?.hasServiceBus ?? config['edgecore.serviceBus'],
  };
}

function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}
