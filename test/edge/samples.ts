import { stringify } from 'yaml';
import { parseEdgecoreConfig } from '../../agent/edge/edgecore-yaml.ts';
import { parseRelease, type Release } from '../../agent/edge/release.ts';
import { type EdgeSettings } from '../../agent/edge/wanted-values.ts';
import { defaultConfig } from '../standins/edgecore/defaults.ts';

/** Settings of a board as tests want them. */
export const settings: EdgeSettings = {
  node: 'board-1',
  cloud: { host: '10.0.0.5', hubPort: 10_000, enrolPort: 10_002 },
  labels: { room: 'lab' },
  taints: [],
  runtime: { kind: 'cri', endpoint: 'unix:///run/docker/containerd/containerd.sock' },
  cgroupDriver: 'cgroupfs',
  pauseImage: undefined,
  nodeIp: '10.0.0.9',
  mqtt: { mode: 'internal', externalUrl: 'tcp://127.0.0.1:1883' },
  hasEdgeStream: false,
  hasMetaServer: false,
  hasServiceBus: true,
};

/** A release by its text. */
export function release(text: string): Release {
  const parsed = parseRelease(text, 'operator');
  if (parsed === undefined) throw new Error(`no release: ${text}`);
  return parsed;
}

/** A parsed configuration text that must be good. */
export function parsed(text: string) {
  const result = parseEdgecoreConfig(text);
  if (!result.ok) throw new Error(result.problem);
  return result;
}

/** What `--defaultconfig` of a release line prints, comment lines included. */
export function defaultsText(minor: number): string {
  return `# With --defaultconfig flag, users can easily get a default full config file as reference.\n\n${stringify(defaultConfig(minor))}`;
}
