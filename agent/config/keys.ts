import { homeDir, productDir } from '../core/constants.ts';
import { containerdKeys } from './containerd-keys.ts';
import { edgeKeys } from './edge-keys.ts';
import { absolutePath, type KeyRow } from './key-row.ts';
import { reportKeys } from './report-keys.ts';

export type { EnumRow, KeyRow } from './key-row.ts';

const cidr = {
  pattern: /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/,
  shape: 'IPv4 subnets such as 172.17.0.0/16',
} as const;
const address = { pattern: /^[0-9a-fA-F.:]{2,45}$/, shape: 'IP addresses such as 192.168.1.1' } as const;

/** Default search path for daemons: our busybox and parts before the system's own tools. */
const none: readonly string[] = [];
const nothing: Readonly<Record<string, unknown>> = {};
const rootStrategies = ['auto', 'image', 'stock', 'host'] as const;
const cgroupModes = ['auto', 'v1', 'v2'] as const;
const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** Every configuration key, one row each: the file's parser, the default file and the reference are all made from it. */
export const keys = {
  'node.name': {
    type: 'string',
    default: '',
    pattern: /^$|^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/,
    shape: 'a lower-case DNS name, at most 253 characters, or empty',
    applies: 'agent-restart',
    help: 'Name of this node. OpenHarmony calls every board localhost, so joining a cluster needs one.',
  },
  'log.level': {
    type: 'enum',
    values: logLevels,
    default: 'info',
    applies: 'agent-restart',
    help: 'Lines below this level are not written to the agent log.',
  },
  'log.fileBytes': {
    type: 'integer',
    min: 65_536,
    max: 104_857_600,
    default: 1_048_576,
    applies: 'agent-restart',
    help: 'Size at which a log file (agent and each unit) is rotated.',
  },
  'log.files': {
    type: 'integer',
    min: 1,
    max: 20,
    default: 4,
    applies: 'agent-restart',
    help: 'Files kept for the agent and for each unit, the current one included.',
  },
  'log.fileHours': {
    type: 'integer',
    min: 1,
    max: 8_760,
    default: 168,
    applies: 'agent-restart',
    help: 'Hours after which a log file is rotated although it is small; with log.files this bounds how old a line can be.',
  },
  'api.group': {
    type: 'integer',
    min: -1,
    max: 2_147_483_647,
    default: -1,
    applies: 'agent-restart',
    help: 'Numeric group that may read through observe.sock; -1 leaves that socket to root.',
  },
  'prep.enabled': {
    type: 'boolean',
    default: true,
    applies: 'agent-restart',
    help: 'Prepare mounts, cgroups, routes and small files. Switch off where somebody else does; units start at once then.',
  },
  'prep.root': {
    type: 'enum',
    values: rootStrategies,
    default: 'auto',
    applies: 'agent-restart',
    help: 'How /run, /var, /etc and /opt come to be: mount points of our image, a new root for a stock image, or left alone on an ordinary Linux.',
  },
  'prep.cgroup': {
    type: 'enum',
    values: cgroupModes,
    default: 'auto',
    applies: 'agent-restart',
    help: 'Cgroup version for the units: v1 hierarchies below /sys/fs/cgroup, or v2 where the board is purely v2.',
  },
  'prep.intervalMs': {
    type: 'integer',
    min: 500,
    max: 60_000,
    default: 3_000,
    applies: 'agent-restart',
    help: 'Milliseconds between two looks for drift where the kernel does not tell of changes, or while something is amiss.',
  },
  'prep.dns': {
    type: 'strings',
    ...address,
    default: none,
    applies: 'agent-restart',
    help: 'Name servers for the units and containers; empty takes those of the live network, then those of the last one, then those of the image.',
  },
  'prep.timeSources': {
    type: 'strings',
    pattern: /^https?:\/\/[^\s/]+(\/\S*)?$/,
    shape: 'addresses such as https://cloud.example:10002',
    default: none,
    applies: 'agent-restart',
    help: 'Servers whose Date header sets a clock that was never set (1970); asked in this order, then the cloud that was joined, only ever forward.',
  },
  'routes.enabled': {
    type: 'boolean',
    default: true,
    applies: 'agent-restart',
    help: "Keep policy-routing rules so that containers reach the network under netmanager's rules.",
  },
  'routes.subnets': {
    type: 'strings',
    ...cidr,
    default: none,
    applies: 'agent-restart',
    help: 'Container subnets besides those found on docker, br- and cni bridges.',
  },
  'routes.priority': {
    type: 'integer',
    min: 1,
    max: 12_900,
    default: 8_500,
    applies: 'agent-restart',
    help: "First of the 100 rule priorities that belong to the agent. Must be below netmanager's 13000.",
  },
  'dockerd.enabled': {
    type: 'boolean',
    default: true,
    applies: 'unit-restart',
    help: 'Supervise dockerd.',
  },
  'dockerd.binDir': {
    type: 'string',
    ...absolutePath,
    default: `${productDir}/docker`,
    applies: 'unit-restart',
    help: 'Directory of dockerd, containerd, runc and their helpers.',
  },
  'dockerd.dataRoot': {
    type: 'string',
    ...absolutePath,
    default: `${homeDir}/docker`,
    applies: 'unit-restart',
    help: "Docker's data-root. Not below /data/service or /data/app: those are encrypted per user.",
  },
  'dockerd.storageDriver': {
    type: 'string',
    pattern: /^[a-z0-9-]{1,32}$/,
    shape: 'a storage driver such as overlay2',
    default: 'overlay2',
    applies: 'unit-restart',
    help: 'Storage driver that must be in use; pinned so that dockerd never falls back to vfs silently.',
  },
  'dockerd.config': {
    type: 'mapping',
    default: nothing,
    applies: 'unit-restart',
    help: 'Keys merged into daemon.json last, e.g. registry-mirrors.',
  },
  'dockerd.startMs': {
    type: 'integer',
    min: 10_000,
    max: 3_600_000,
    default: 300_000,
    applies: 'unit-restart',
    help: 'Milliseconds from spawn to ready before dockerd counts as hung. Left-over containers make a start legitimately long.',
  },
  'dockerd.stopMs': {
    type: 'integer',
    min: 1_000,
    max: 600_000,
    default: 30_000,
    applies: 'unit-restart',
    help: 'Milliseconds between SIGTERM and SIGKILL. dockerd itself allows containers 15 s.',
  },
  'dockerd.pingMs': {
    type: 'integer',
    min: 1_000,
    max: 600_000,
    default: 10_000,
    applies: 'unit-restart',
    help: 'Milliseconds between two liveness probes (/_ping).',
  },
  'dockerd.deepMs': {
    type: 'integer',
    min: 5_000,
    max: 3_600_000,
    default: 60_000,
    applies: 'unit-restart',
    help: 'Milliseconds between two probes of containerd; dockerd is asked for /version where it gives no answer.',
  },
  ...containerdKeys,
  ...edgeKeys,
  units: {
    type: 'units',
    default: nothing,
    applies: 'agent-restart',
    help: 'Further units to supervise, name to {argv, env, cwd, needs, readySocket, startMs, stopMs, oomScoreAdj}.',
  },
  'restart.floorMs': {
    type: 'integer',
    min: 100,
    max: 600_000,
    default: 1_000,
    applies: 'agent-restart',
    help: 'First delay of the exponential backoff; the first restart itself is immediate.',
  },
  'restart.ceilingMs': {
    type: 'integer',
    min: 1_000,
    max: 3_600_000,
    default: 300_000,
    applies: 'agent-restart',
    help: 'Longest delay between two restarts.',
  },
  'restart.stableMs': {
    type: 'integer',
    min: 1_000,
    max: 3_600_000,
    default: 60_000,
    applies: 'agent-restart',
    help: 'Time in ready after which earlier failures are forgotten.',
  },
  'restart.loopFailures': {
    type: 'integer',
    min: 2,
    max: 100,
    default: 5,
    applies: 'agent-restart',
    help: 'Failures in a row that make a crash loop.',
  },
  ...reportKeys,
} as const satisfies Record<string, KeyRow>;

export type Key = keyof typeof keys;
