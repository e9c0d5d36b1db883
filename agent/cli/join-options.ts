import type { OptionSpec } from './command.ts';

const onOff = ['on', 'off'] as const;

/** Options of `agentctl join`. */
export const joinOptions: readonly OptionSpec[] = [
  { flags: '--cloudcore <host[:port]>', help: 'address of cloudcore' },
  { flags: '--token <token>', help: 'token of the cluster; other programs may see it, a file is safer' },
  { flags: '--token-file <file>', help: 'file with the token; - reads it from the standard input' },
  { flags: '--node-name <name>', help: 'name of this node' },
  { flags: '--label <key=value>', help: 'label of the node; may be given several times', isMany: true },
  {
    flags: '--taint <key[=value]:effect>',
    help: 'taint of the node; may be given several times',
    isMany: true,
  },
  { flags: '--kubeedge <version>', help: 'release of edgecore where it cannot be found out' },
  { flags: '--runtime <kind>', help: 'container runtime', choices: ['auto', 'docker', 'cri'] },
  { flags: '--cri-endpoint <url>', help: 'socket of a CRI runtime of your own' },
  { flags: '--cgroup-driver <driver>', help: 'cgroup driver', choices: ['cgroupfs', 'systemd'] },
  { flags: '--pause-image <image>', help: 'image of the pause container' },
  { flags: '--ca-hash <sha256>', help: 'hash of the cluster authority, if not that of the token' },
  { flags: '--cert-port <port>', help: 'port of cloudcore that gives out certificates' },
  { flags: '--mqtt <mode>', help: 'broker of edgecore', choices: ['internal', 'both', 'external'] },
  { flags: '--mqtt-server <url>', help: 'address of an external broker' },
  { flags: '--edge-stream <on|off>', help: 'allow kubectl logs and exec', choices: onOff },
  { flags: '--meta-server <on|off>', help: 'offer the Kubernetes API on the board', choices: onOff },
  { flags: '--service-bus <on|off>', help: 'take questions of the cloud', choices: onOff },
  { flags: '--take-name', help: 'join although a node of that name is there' },
  { flags: '--dry-run', help: 'check and show the steps, change nothing' },
  { flags: '--json', help: 'print the wire value as JSON and nothing else' },
];
