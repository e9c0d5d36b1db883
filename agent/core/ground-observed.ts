/** One line of /proc/self/mountinfo. Order matters: a later line at the same target hides an earlier one. */
export interface Mount {
  readonly id: number;
  readonly parent: number;
  /** `major:minor` of the mounted filesystem. */
  readonly device: string;
  /** Which part of the filesystem is mounted; `/` unless it is a bind of something below. */
  readonly root: string;
  readonly target: string;
  /** Options of this mount (`ro`, `nosuid`…). */
  readonly options: readonly string[];
  /** Whether mounts below it spread to its peers (`shared:N`). */
  readonly isShared: boolean;
  /** Whether it receives mounts from elsewhere (`master:N`). */
  readonly isSlave: boolean;
  /** Whether it is left out of recursive binds (`unbindable`). */
  readonly isUnbindable: boolean;
  readonly fstype: string;
  readonly source: string;
  /** Options of the filesystem (`ro`, cgroup controllers…). */
  readonly superOptions: readonly string[];
}

/** What is at a path, links not followed. Attributes that were not asked for are left out. */
export interface PathFact {
  readonly kind: 'absent' | 'directory' | 'file' | 'symlink' | 'other';
  /** Permission bits. */
  readonly mode?: number;
  /** Where a symlink points to. */
  readonly target?: string;
  /** What a symlink leads to in the end; absent where it leads nowhere. */
  readonly behind?: 'directory' | 'file' | 'other';
  /** Content of a file of at most 64 KiB, asked for by `texts`; links are followed for it. */
  readonly text?: string;
  /** Names in a directory, asked for by `lists`; links are followed for it. */
  readonly names?: readonly string[];
}

/** One row of /proc/cgroups. */
export interface Controller {
  readonly name: string;
  /** Number of its v1 hierarchy; 0 where none is active, or where it belongs to v2. */
  readonly hierarchy: number;
  readonly isEnabled: boolean;
}

/** One line of /proc/self/cgroup. */
export interface Membership {
  readonly hierarchy: number;
  /** Controllers, or `name=systemd`; empty for v2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** One policy rule as `ip rule` prints it. Only what decides for us is taken apart; `text` is the whole selector and action. */
export interface IpRule {
  readonly priority: number;
  /** `from all to 172.17.0.0/16 lookup main`: selector and action with single blanks, without the priority. */
  readonly text: string;
}

/** One route of any table, as far as it decides where container traffic goes. */
export interface IpRoute {
  /** `main`, `local` or the number. */
  readonly table: string;
  /** `default` or a subnet. */
  readonly destination: string;
  readonly device: string;
  readonly gateway?: string;
}

/** One network interface. */
export interface Link {
  readonly name: string;
  readonly isBridge: boolean;
  /** The operator switched it on (IFF_UP). */
  readonly isUp: boolean;
}

/** A directly connected subnet of table main, from /proc/net/route. */
export interface ConnectedSubnet {
  readonly device: string;
  readonly subnet: string;
}

/** What a plan needs to be told about single paths and switches. Paths are absolute. */
export interface GroundQuestions {
  readonly paths: readonly string[];
  readonly texts: readonly string[];
  readonly lists: readonly string[];
  /** Dotted names, e.g. `net.ipv4.ip_forward`. */
  readonly sysctls: readonly string[];
}

/** The answers. */
export interface GroundFacts {
  readonly paths: Readonly<Record<string, PathFact>>;
  /** Undefined where the kernel does not have it. */
  readonly sysctls: Readonly<Record<string, string | undefined>>;
}

/** What one look at the machine finds without being asked for anything in particular. */
export interface ObservedMachine {
  readonly bootId: string;
  /** `uname -r`. */
  readonly release: string;
  /** Wall clock in milliseconds. */
  readonly wallMs: number;
  /** Mount namespaces of this process and of pid 1; equal means that mounts would be seen by the whole system. */
  readonly namespace: { readonly own: string; readonly init: string };
  readonly mounts: readonly Mount[];
  /** Filesystem types that the kernel knows now. */
  readonly filesystems: readonly string[];
  readonly controllers: readonly Controller[];
  readonly memberships: readonly Membership[];
  readonly rules: readonly IpRule[];
  readonly routes: readonly IpRoute[];
  readonly subnets: readonly ConnectedSubnet[];
  readonly links: readonly Link[];
  /**
   * By which interface an ordinary connection of the board itself would leave now, as the kernel decides it: `device` is
   * absent where there is no way out. Absent as a whole where the kernel could not be asked.
   */
  readonly uplink?: { readonly device?: string };
  /** Whether an IPv6 connection of the board would find a way out; absent where the kernel could not be asked. */
  readonly hasIpv6Way?: boolean;
  /** Why rules and routes could not be read; they are empty then and nothing may be concluded from that. */
  readonly networkProblem?: string;
  /** Name servers that the network manager of the board knows now; undefined where there is none to ask. */
  readonly nameServers?: readonly string[];
  /** Modules in /sys/module: loaded, or built in with parameters. */
  readonly modules: readonly string[];
  /** Modules that modules.dep of this kernel offers as files; empty where the board ships none. */
  readonly loadableModules: readonly string[];
  /** SELinux: absent where the kernel has none mounted. */
  readonly selinux?: { readonly isEnforcing: boolean; readonly domain: string };
  /** Soft and hard limit of open files; Infinity for unlimited. */
  readonly openFiles: { readonly soft: number; readonly hard: number };
  /** Something that is this board's for ever (serial number), or undefined. */
  readonly serial?: string;
}

/** The machine as one look found it: plain data, so that plans can be computed, tested and printed. */
export interface ObservedGround extends ObservedMachine, GroundFacts {}
