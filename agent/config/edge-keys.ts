import { productDir } from '../core/constants.ts';
import { absolutePath, type KeyRow } from './key-row.ts';

const runtimes = ['auto', 'docker', 'cri'] as const;
const mqttModes = ['internal', 'both', 'external'] as const;

/** Keys of the edge node. An order to join may name most of them too; the order wins and is remembered. */
export const edgeKeys = {
  'edgecore.enabled': {
    type: 'boolean',
    default: true,
    applies: 'agent-restart',
    help: 'Supervise edgecore once the board has joined a cluster; before that nothing is started and nothing is missed.',
  },
  'edgecore.binary': {
    type: 'string',
    ...absolutePath,
    default: `${productDir}/kubeedge/edgecore`,
    applies: 'agent-restart',
    help: "KubeEdge's edgecore, 1.10 to 1.23. A file named version beside it, or one directory up, tells the release.",
  },
  'edgecore.runtime': {
    type: 'enum',
    values: runtimes,
    default: 'auto',
    applies: 'agent-restart',
    help: 'How edgecore starts containers: auto takes docker up to 1.13 and the containerd of dockerd (CRI) from 1.14 on.',
  },
  'edgecore.criEndpoint': {
    type: 'string',
    pattern: /^$|^unix:\/\/\/\S+$/,
    shape: 'an endpoint such as unix:///run/containerd/containerd.sock, or empty',
    default: '',
    applies: 'agent-restart',
    help: 'CRI endpoint of a runtime of your own; empty takes the containerd that dockerd manages.',
  },
  'edgecore.mqtt': {
    type: 'enum',
    values: mqttModes,
    default: 'internal',
    applies: 'agent-restart',
    help: 'MQTT broker of the event bus: inside edgecore (127.0.0.1:1884), your own (edgecore.mqttServer), or both.',
  },
  'edgecore.mqttServer': {
    type: 'string',
    pattern: /^(tcp|ssl|tls):\/\/[^\s/@]+:\d{1,5}$/,
    shape: 'a broker such as tcp://127.0.0.1:1883',
    default: 'tcp://127.0.0.1:1883',
    applies: 'agent-restart',
    help: 'Your own MQTT broker, used unless edgecore.mqtt is internal.',
  },
  'edgecore.edgeStream': {
    type: 'boolean',
    default: false,
    applies: 'agent-restart',
    help: 'Let `kubectl logs` and `kubectl exec` reach pods of this node through port 10004 of cloudcore.',
  },
  'edgecore.metaServer': {
    type: 'boolean',
    default: false,
    applies: 'agent-restart',
    help: "Serve edgecore's own Kubernetes API on 127.0.0.1:10550. Every program of the board may use it.",
  },
  'edgecore.serviceBus': {
    type: 'boolean',
    default: true,
    applies: 'agent-restart',
    help: 'Let the router of the cloud call HTTP services on 127.0.0.1 of the board, which remote queries need.',
  },
  'edgecore.pauseImage': {
    type: 'string',
    pattern: /^$|^[\w][\w./:@-]{0,254}$/,
    shape: 'an image name, or empty',
    default: '',
    applies: 'agent-restart',
    help: 'Sandbox image of pods; empty leaves what the release of edgecore has.',
  },
  'edgecore.podSubnet': {
    type: 'string',
    pattern: /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/,
    shape: 'an IPv4 subnet such as 10.88.0.0/16',
    default: '10.88.0.0/16',
    applies: 'agent-restart',
    help: 'Addresses of pods on this board when CRI is used and nobody else has put a CNI network there.',
  },
  'edgecore.startMs': {
    type: 'integer',
    min: 30_000,
    max: 3_600_000,
    default: 300_000,
    applies: 'agent-restart',
    help: 'Milliseconds from spawn until edgecore answers before it counts as hung. A first registration takes minutes.',
  },
  'edgecore.stopMs': {
    type: 'integer',
    min: 1_000,
    max: 600_000,
    default: 45_000,
    applies: 'agent-restart',
    help: 'Milliseconds between SIGTERM and SIGKILL. From 1.21 on edgecore removes dead containers while it stops.',
  },
} as const satisfies Record<string, KeyRow>;
