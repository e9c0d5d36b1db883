import { isAgentError, messageOf } from '../core/agent-error.ts';

/** Class of a fault and the sentence with its fix, as the wire carries it. */
export interface Fault {
  /** PascalCase word for programs. */
  readonly reason: string;
  /** What to do, then what was seen. */
  readonly message: string;
}

interface FaultRow {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly fix: string;
}

/**
 * Texts of dockerd, containerd, runc and iptables and what they mean on a board, first match wins. The texts are those
 * of moby 20.10 to 28, runc 1.1 and 1.2, iptables 1.8.
 */
const rows: readonly FaultRow[] = [
  {
    pattern: /cannot (?:use|read) busybox/i,
    reason: 'BusyboxUnfit',
    fix: 'put the static busybox of this board into the product directory',
  },
  {
    pattern: /unable to set keep caps/i,
    reason: 'KeepCapsLocked',
    fix: 'init locked the keep-caps bit (OpenHarmony 5.0.1 and later): the service needs "setuid": true in its cfg',
  },
  {
    pattern: /mqueue/i,
    reason: 'MqueueMissing',
    fix: 'the kernel needs CONFIG_POSIX_MQUEUE: every container mounts /dev/mqueue',
  },
  {
    pattern: /exec format error/i,
    reason: 'WrongArchitecture',
    fix: 'the program is for another processor: put the busybox of this board in place',
  },
  {
    pattern: /NanoCPUs can not be set|CPU CFS/i,
    reason: 'CpuQuotaMissing',
    fix: 'the kernel needs CONFIG_CFS_BANDWIDTH, and the cpu cgroup must be mounted: see `agentctl plan`',
  },
  {
    pattern: /memory limit capabilities|memory cgroup|Limitation discarded/i,
    reason: 'MemoryCgroupMissing',
    fix: 'the kernel needs CONFIG_MEMCG, and the memory cgroup must be mounted: see `agentctl plan`',
  },
  {
    pattern: /failed to parse memory\.stat|memory\.stat.*unable to convert/i,
    reason: 'MemoryStatUnreadable',
    fix: 'this kernel adds lines to memory.stat that runc cannot read: use runc 1.2 or later, or the kernel patch',
  },
  {
    pattern: /cpuset\.(?:cpus|mems).*(?:empty|no space left)|cpuset.*no space left/i,
    reason: 'CpusetEmpty',
    fix: 'the parent cpuset has no processors: see `agentctl plan`',
  },
  {
    pattern:
      /devices cgroup isn't mounted|no cgroup mount found|cgroups?:? cgroup mountpoint does not exist|cgroup v?2? ?.*not (?:mounted|found|available|enabled)/i,
    reason: 'CgroupMissing',
    fix: 'mount every enabled cgroup controller below /sys/fs/cgroup: see `agentctl plan`',
  },
  {
    pattern: /oom_score_adj.*permission denied|can't get final child's PID from pipe/i,
    reason: 'OomScoreRefused',
    fix: 'runc may not lower oom_score_adj: the service needs CAP_SYS_RESOURCE',
  },
  {
    pattern:
      /overlay.*(?:no such device|not supported|invalid argument|unknown filesystem)|error creating overlay mount/i,
    reason: 'OverlayMissing',
    fix: 'the kernel needs CONFIG_OVERLAY_FS on a file system without casefold: see `agentctl doctor`',
  },
  {
    pattern: /pivot_root/i,
    reason: 'PivotRootRefused',
    fix: 'the root is a ramdisk that cannot be pivoted: set DOCKER_RAMDISK for dockerd',
  },
  {
    pattern: /not a shared mount|not a shared or slave mount/i,
    reason: 'MountNotShared',
    fix: 'the mount below the data-root must be shared: see `agentctl plan`',
  },
  {
    pattern: /iptables not found|executable file not found.*iptables|iptables.*no such file/i,
    reason: 'IptablesMissing',
    fix: 'put iptables (legacy, static) into the docker directory of the agent',
  },
  {
    pattern: /initialize nft|nf_tables|CHAIN_ADD failed/i,
    reason: 'NftablesMissing',
    fix: 'this iptables speaks nf_tables and the kernel does not: use iptables-legacy',
  },
  {
    pattern: /iptables.*\braw\b|table [`'"]?raw/i,
    reason: 'IptablesRawMissing',
    fix: 'the kernel needs CONFIG_IP_NF_RAW, or dockerd DOCKER_INSECURE_NO_IPTABLES_RAW=1',
  },
  {
    pattern: /table [`'"]?nat|NAT chain|MASQUERADE/i,
    reason: 'NatMissing',
    fix: 'the kernel needs CONFIG_IP_NF_NAT and CONFIG_IP_NF_TARGET_MASQUERADE',
  },
  {
    pattern: /No chain\/target\/match by that name|iptables failed/i,
    reason: 'IptablesRuleRefused',
    fix: "dockerd's chains are gone or a match is missing (CONFIG_NETFILTER_XT_MATCH_ADDRTYPE, _CONNTRACK): `agentctl restart dockerd`, then `agentctl doctor`",
  },
  {
    pattern: /bridge-nf-call|br_netfilter|cannot restrict inter-container/i,
    reason: 'BridgeNetfilterMissing',
    fix: 'the kernel needs CONFIG_BRIDGE_NETFILTER, or dockerd DOCKER_IGNORE_BR_NETFILTER_ERROR=1',
  },
  {
    pattern: /<=> sandbox|veth.*(?:not supported|unknown device type)/i,
    reason: 'VethMissing',
    fix: 'the kernel needs CONFIG_VETH',
  },
  {
    pattern:
      /network bridge not found|could not find bridge|creat(?:e|ing) .*bridge|docker0.*not (?:supported|permitted)/i,
    reason: 'BridgeMissing',
    fix: 'docker0 is gone or was never made: `agentctl restart dockerd`; the kernel needs CONFIG_BRIDGE, and daemon.json no "bridge": "none"',
  },
  {
    pattern: /no available IPv4|address already in use|port is already allocated/i,
    reason: 'AddressTaken',
    fix: 'the addresses of the bridge are used up: remove dead containers, or choose another "bip"',
  },
  {
    pattern: /seccomp/i,
    reason: 'SeccompMissing',
    fix: 'the kernel needs CONFIG_SECCOMP_FILTER, or dockerd "seccomp-profile": "unconfined"',
  },
  {
    pattern: /session key|keyring|disk quota exceeded/i,
    reason: 'KeyringFull',
    fix: 'raise kernel.keys.root_maxkeys: see `agentctl plan`',
  },
  {
    pattern:
      /unshare|clone.*(?:invalid argument|operation not permitted)|nsexec|namespaces?.*(?:not|invalid)/i,
    reason: 'NamespaceMissing',
    fix: 'the kernel needs CONFIG_NAMESPACES with PID_NS, NET_NS, IPC_NS and UTS_NS: see `agentctl doctor`',
  },
  {
    pattern: /no space left on device/i,
    reason: 'DiskFull',
    fix: "free some space on the file system of Docker's data-root",
  },
  {
    pattern: /read-only file system/i,
    reason: 'ReadOnly',
    fix: 'a directory that dockerd writes is read-only: see `agentctl plan` and `agentctl doctor`',
  },
  {
    pattern: /too many open files/i,
    reason: 'TooManyFiles',
    fix: 'raise RLIMIT_NOFILE of dockerd to 1048576',
  },
  {
    pattern: /shim|runc.*(?:not found|no such file)|containerd/i,
    reason: 'RuntimeBroken',
    fix: 'containerd or runc does not work: see `agentctl logs dockerd`',
  },
];

/** Class of a text from the engine; `fallback` where no row knows it. */
export function classifyText(text: string, fallback: string): Fault {
  const row = rows.find(({ pattern }) => pattern.test(text));
  const seen = text.replace(/\s+/g, ' ').trim().slice(0, 600);
  if (row === undefined) return { reason: fallback, message: `see \`agentctl logs dockerd\`; seen: ${seen}` };
  return { reason: row.reason, message: `${row.fix}; seen: ${seen}` };
}

/** Class of what was thrown while a rung was tried. */
export function classifyError(error: unknown, fallback: string): Fault {
  const text = messageOf(error);
  if (isAgentError(error, 'TOOL_FAILED')) {
    return {
      reason: 'DockerUnreachable',
      message: `start dockerd with \`agentctl start dockerd\`; seen: ${text}`,
    };
  }
  if (isAgentError(error, 'TIMED_OUT')) {
    return {
      reason: 'DockerHung',
      message: `dockerd or containerd does not answer in time: \`agentctl restart dockerd\`; seen: ${text}`,
    };
  }
  return classifyText(text, fallback);
}

/** Every reason that a row can give, for the reference and the tests. */
export const faultReasons: readonly string[] = rows.map(({ reason }) => reason);
