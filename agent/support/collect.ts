import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Commands } from '../core/commands.ts';
import type { DockerApi } from '../core/docker.ts';
import type { SupportEntry, SupportFiles } from '../core/support-files.ts';
import { secretsOf } from './scrub.ts';

/** Newest bytes of each log; all of them together stay below what a person can send. */
const maxLogBytes = 524_288;
const maxTextBytes = 2_097_152;
const toolTimeoutMs = 8_000;
const dockerTimeoutMs = 5_000;

/** What a board is looked at with. */
export interface SupportParts {
  readonly files: SupportFiles;
  readonly commands: Commands;
  readonly docker: DockerApi;
  readonly home: string;
  readonly product: string;
  readonly busybox: string;
  readonly configFile: string;
  /** The system's /etc; another one in tests. */
  readonly etc: string;
}

/** What the kernel tells as text, by name in the bundle. */
const kernelTexts: Readonly<Record<string, string>> = {
  'kernel/version.txt': '/proc/version',
  'kernel/cmdline.txt': '/proc/cmdline',
  'kernel/modules.txt': '/proc/modules',
  'kernel/filesystems.txt': '/proc/filesystems',
  'kernel/cgroups.txt': '/proc/cgroups',
  'kernel/own-cgroups.txt': '/proc/self/cgroup',
  'kernel/meminfo.txt': '/proc/meminfo',
  'kernel/uptime.txt': '/proc/uptime',
  'kernel/loadavg.txt': '/proc/loadavg',
  'kernel/limits.txt': '/proc/self/limits',
  'mounts/this-shell.txt': '/proc/self/mountinfo',
  'mounts/system.txt': '/proc/1/mountinfo',
  'network/interfaces.txt': '/proc/net/dev',
  'network/main-routes.txt': '/proc/net/route',
  'network/trie.txt': '/proc/net/fib_trie',
};

const sysctls = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/rp_filter',
  'net/bridge/bridge-nf-call-iptables',
  'net/netfilter/nf_conntrack_max',
  'net/netfilter/nf_conntrack_count',
  'kernel/hostname',
  'kernel/osrelease',
  'user/max_user_namespaces',
  'vm/overcommit_memory',
];

/** Everything about this board that somebody far away needs, still with its secrets; what cannot be had is left out. */
export async function collectBoard(
  parts: SupportParts,
  signal: AbortSignal,
): Promise<readonly SupportEntry[]> {
  const tools = await Promise.all(
    Object.entries(toolsOf(parts)).map(async ([name, argv]) => ({
      name,
      text: await said(parts.commands, argv),
    })),
  );
  const docker = await Promise.all(
    ['version', 'info', 'containers/json?all=1'].map(async (path) => ({
      name: `docker/${path.replace(/[/?].*/, '')}.json`,
      text: await askDocker(parts.docker, `/${path}`, signal),
    })),
  );
  const { files, home, product } = parts;
  const listed = [home, product].map((path) => ({
    name: `files/${path === home ? 'home' : 'product'}.txt`,
    text: files.listing(path),
  }));
  const found = [
    ...texts(files, kernelTexts),
    ...texts(files, configTexts(parts)),
    ...texts(files, logTexts(parts), maxLogBytes),
    ...texts(files, stateTexts(parts)),
    ...namespaceMounts(parts),
    ...lastGood(parts),
    { name: 'kernel/config.txt', text: files.unpacked('/proc/config.gz') ?? '' },
    { name: 'kernel/sysctls.txt', text: sysctls.map((path) => sysctlLine(files, path)).join('') },
    { name: 'processes.txt', text: files.processes() },
    ...listed,
    ...tools,
    ...docker,
  ];
  return found.filter(({ text }) => text !== '');
}

/** Secrets that lie on this board: their text must not stand anywhere in the bundle. */
export function knownSecrets({ files, configFile, ...parts }: SupportParts): readonly string[] {
  const read = (path: string): string => files.newest(path, maxTextBytes) ?? '';
  const kubeedge = [`${parts.etc}/kubeedge`, `${parts.home}/fs/etc/kubeedge`];
  const holders = [
    configFile,
    `${parts.home}/join.yaml`,
    ...kubeedge.map((at) => `${at}/config/edgecore.yaml`),
  ];
  // Keys that the configuration names: the one of signed commands, and that of the listener.
  const named = [...read(configFile).matchAll(/^\s*(?:\w+\.)?keyFile\s*:\s*["']?([^"'\s]+)/gm)];
  const keys = named.flatMap(([, path = '']) => (path.startsWith('/') ? [path] : []));
  const ofKubeedge = kubeedge.flatMap((at) => [
    `${at}/bootstrap-edgecore.conf`,
    ...files
      .names(`${at}/certs`)
      .filter((name) => name.endsWith('.key'))
      .map((name) => `${at}/certs/${name}`),
  ]);
  // Of a key no line may be seen, whatever stands around it.
  return [
    ...holders.flatMap((path) => secretsOf(read(path))),
    ...[...ofKubeedge, ...keys].flatMap((path) => read(path).split('\n')),
  ].filter((text) => !text.startsWith('-----'));
}

function toolsOf({
  busybox,
  product,
}: SupportParts): Readonly<Record<string, readonly [string, ...string[]]>> {
  const iptables = (...words: string[]): readonly [string, ...string[]] => [
    busybox,
    'env',
    `PATH=${product}/docker:${product}/bin:/system/bin:/usr/sbin:/sbin:/usr/bin:/bin`,
    'iptables',
    '-w',
    '5',
    ...words,
  ];
  return {
    'network/rules.txt': [busybox, 'ip', 'rule'],
    'network/routes.txt': [busybox, 'ip', 'route', 'show', 'table', 'all'],
    'network/addresses.txt': [busybox, 'ip', 'addr'],
    'network/neighbours.txt': [busybox, 'ip', 'neigh'],
    'network/firewall.txt': iptables('-S'),
    'network/nat.txt': iptables('-t', 'nat', '-S'),
    'kernel/messages.txt': [busybox, 'dmesg'],
    'disk/space.txt': [busybox, 'df', '-k'],
    'disk/inodes.txt': [busybox, 'df', '-i'],
  };
}

function configTexts({ home, configFile, etc }: SupportParts): Readonly<Record<string, string>> {
  return {
    'config/agent.yaml': configFile,
    'config/daemon.json': `${home}/state/dockerd/daemon.json`,
    'config/edgecore.yaml': `${home}/fs/etc/kubeedge/config/edgecore.yaml`,
    'config/edgecore.system.yaml': `${etc}/kubeedge/config/edgecore.yaml`,
    'config/resolv.conf': `${etc}/resolv.conf`,
    'config/resolv.conf.units': `${home}/fs/etc/resolv.conf`,
    'config/hosts': `${etc}/hosts`,
  };
}

function logTexts({ files, home }: SupportParts): Readonly<Record<string, string>> {
  const names = files.names(`${home}/log`);
  return Object.fromEntries(names.map((name) => [`log/${name}`, `${home}/log/${name}`]));
}

const lastGoodName = 'agent.last-good.json';

/**
 * The YAML of the last good configuration. Not the file that holds it: within JSON it is one line, and what is a secret in it is
 * known by where it stands in its lines.
 */
function lastGood({ files, home }: SupportParts): readonly SupportEntry[] {
  try {
    const kept: unknown = JSON.parse(files.newest(`${home}/state/${lastGoodName}`, maxTextBytes) ?? '');
    const text = typeof kept === 'object' && kept !== null && 'text' in kept ? kept.text : undefined;
    return typeof text === 'string' ? [{ name: 'config/agent.last-good.yaml', text }] : [];
  } catch {
    return [];
  }
}

/** Records of the agent: plain lines and documents, no keys. */
function stateTexts({ files, home }: SupportParts): Readonly<Record<string, string>> {
  const isRecord = (name: string): boolean =>
    /\.(json|jsonl|log|lines)(\.\S+)?$/.test(name) && !name.startsWith(lastGoodName);
  const names = files.names(`${home}/state`).filter(isRecord);
  return Object.fromEntries(names.map((name) => [`state/${name}`, `${home}/state/${name}`]));
}

/** The mounts that the units see; launch.sh leaves `BOOT PID START` of whoever holds their namespace. */
function namespaceMounts({ files, home }: SupportParts): readonly SupportEntry[] {
  const holder = files.newest(`${home}/run/namespace`, 4_096)?.split(/\s+/)[1] ?? '';
  if (!/^\d+$/.test(holder)) return [];
  const text = files.newest(`/proc/${holder}/mountinfo`, maxTextBytes) ?? '';
  return [{ name: 'mounts/units.txt', text }];
}

function texts(
  files: SupportFiles,
  places: Readonly<Record<string, string>>,
  maxBytes = maxTextBytes,
): readonly SupportEntry[] {
  return Object.entries(places).map(([name, path]) => ({ name, text: files.newest(path, maxBytes) ?? '' }));
}

function sysctlLine(files: SupportFiles, path: string): string {
  const value = files.newest(`/proc/sys/${path}`, 4_096)?.trim();
  return value === undefined ? '' : `${path.replaceAll('/', '.')} = ${value}\n`;
}

async function said(commands: Commands, argv: readonly [string, ...string[]]): Promise<string> {
  try {
    const { code, stdout, stderr } = await commands.run(argv, { timeoutMs: toolTimeoutMs });
    return code === 0 ? stdout : `${stdout}${stderr}ended with ${code}\n`;
  } catch (error) {
    return `${messageOf(error)}\n`;
  }
}

async function askDocker(docker: DockerApi, path: string, signal: AbortSignal): Promise<string> {
  try {
    const { status, body } = await docker.request(
      { method: 'GET', path, timeoutMs: dockerTimeoutMs },
      signal,
    );
    return status === 200
      ? `${JSON.stringify(JSON.parse(new TextDecoder().decode(body)), undefined, 2)}\n`
      : `${JSON.stringify({ status })}\n`;
  } catch (error) {
    if (isAbort(error)) throw error;
    return `${JSON.stringify({ error: messageOf(error) })}\n`;
  }
}
