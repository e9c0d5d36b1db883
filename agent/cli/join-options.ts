import type { OptionSpec } from './command.ts';

const onOff = ['on', 'off'] as const;

/** Options of `agentctl join`. */
export const joinOptions: readonly OptionSpec[] = [
  { flags: '--cloudcore <host[:port]>', help: 'address of cloudcore' },
  {
    flags: '--token <token>',
    help: 'token of the cluster; other programs can see it, so prefer --token-file',
  },
  { flags: '--token-file <file>', help: 'file with the token; - reads it from the standard input' },
  { flags: '--node-name <name>', help: 'name of this node' },
  { flags: '--label <key=value>', help: 'label of the node; may be given several times', isMany: true },
  {
    flags: '--taint <key[=value]:effect>',
    help: 'taint of the node; may be given several times',
    isMany: true,
  },
  { flags: '--kubeedge <version>', help: 'release of edgecore, if it cannot be detected' },
  { flags: '--runtime <kind>', help: 'container runtime', choices: ['auto', 'docker', 'cri'] },
  { flags: '--cri-endpoint <url>', help: 'socket of a CRI runtime of your own' },
  { flags: '--cgroup-driver <driver>', help: 'cgroup driver', choices: ['cgroupfs', 'systemd'] },
  { flags: '--pause-image <image>', help: 'image of the pause container' },
  { flags: '--ca-hash <sha256>', help: 'hash (SHA-256) of the cluster CA, if not the one in the token' },
  { flags: '--cert-port <port>', help: 'port of cloudcore that issues certificates (default: 10002)' },
  { flags: '--mqtt <mode>', help: 'broker of edgecore', choices: ['internal', 'both', 'external'] },
  { flags: '--mqtt-server <url>', help: 'address of an external broker' },
  { flags: '--edge-stream <on|off>', help: 'allow kubectl logs and exec', choices: onOff },
  {
    flags: '--meta-server <on|off>',
    help: 'offer the Kubernetes API to programs on the board',
    choices: onOff,
  },
  {
    flags: '--service-bus <on|off>',
    help: 'let the cloud ask this board (npm run cloud -- ask)',
    choices: onOff,
  },
  { flags: '--take-name', help: 'join even if the cluster already has a node of that name' },
  { flags: '--dry-run', help: 'check and show the steps but change nothing' },
  { flags: '--json', help: 'print JSON instead of text' },
];
