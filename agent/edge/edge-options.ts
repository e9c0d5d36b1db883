import type { RuntimeKind } from './compatibility.ts';

/** The slice of the configuration that this room works with; `Config` fits as it is. */
export interface EdgeConfig {
  /** `node.name`; empty where nobody gave one. */
  readonly 'node.name': string;
  readonly 'dockerd.enabled': boolean;
  readonly 'edgecore.enabled': boolean;
  readonly 'edgecore.binary': string;
  readonly 'edgecore.runtime': 'auto' | RuntimeKind;
  readonly 'edgecore.criEndpoint': string;
  readonly 'edgecore.mqtt': 'internal' | 'both' | 'external';
  readonly 'edgecore.mqttServer': string;
  readonly 'edgecore.edgeStream': boolean;
  readonly 'edgecore.metaServer': boolean;
  readonly 'edgecore.serviceBus': boolean;
  readonly 'edgecore.pauseImage': string;
  readonly 'edgecore.podSubnet': string;
  readonly 'edgecore.startMs': number;
  readonly 'edgecore.stopMs': number;
}
