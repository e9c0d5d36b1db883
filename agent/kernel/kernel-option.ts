/** What the kernel is wanted for; a check names the features it is about. */
export const features = {
  agent: 'the agent itself: policy routes, private mounts, a readable configuration',
  docker: 'dockerd and every container, whatever its network and storage',
  bridge: 'bridge network, published ports and address translation',
  overlay2: 'overlay2 storage on ext4 or f2fs',
  'cgroup-v1': 'limits through cgroup v1, which OpenHarmony itself uses',
  edgecore: 'edgecore and the kubelet inside it',
  cni: 'CNI plugins bridge, portmap and host-local',
  'cgroup-v2': 'limits through the unified cgroup v2 hierarchy',
  ipv6: 'IPv6 inside containers',
  'kube-proxy': 'kube-proxy in iptables mode',
  ipvs: 'kube-proxy in IPVS mode',
  edgemesh: 'EdgeMesh service proxy on the edge',
  swarm: 'overlay networks of docker swarm',
  'swarm-encryption': 'encrypted overlay networks',
  ipvlan: 'ipvlan networks',
  macvlan: 'macvlan networks',
  nftables: 'the nftables back end of docker 29 and iptables-nft',
  'ftp-helpers': 'FTP and TFTP through address translation',
  btrfs: 'btrfs storage',
  devicemapper: 'devicemapper storage, up to docker 24',
} as const;

export type Feature = keyof typeof features;

/** What a board needs that runs dockerd and edgecore as this project sets them up. */
export const defaultFeatures: readonly Feature[] = [
  'agent',
  'docker',
  'bridge',
  'overlay2',
  'cgroup-v1',
  'edgecore',
  'cni',
];

/** Without a required option the feature does not work; without a recommended one it works with a stated loss. */
export type Level = 'required' | 'recommended' | 'optional';

/** Where the demand for an option can be read. */
export const sources = {
  moby: 'moby/moby contrib/check-config.sh, v20.10 to v28.5',
  'moby-29': 'moby/moby contrib/check-config.sh, 29',
  'moby-oci': 'moby/moby daemon/pkg/oci/defaults.go; opencontainers/runc libcontainer/rootfs_linux.go',
  'moby-net': 'moby/moby libnetwork/iptables and libnetwork/drivers/bridge',
  kubelet:
    'kubernetes pkg/kubelet/cm/container_manager_linux.go, vendored in kubeedge/kubeedge v1.10 to v1.22',
  cni: 'containernetworking/plugins plugins/main/bridge and plugins/meta/portmap',
  'kube-proxy': 'kubernetes pkg/proxy/iptables and pkg/proxy/ipvs',
  edgemesh: 'kubeedge/edgemesh pkg/proxy',
  kconfig: "the kernel's own Kconfig files, 5.10 to 6.6",
  openharmony: 'openharmony/kernel_linux_config base_defconfig, 4.0 to 7.0',
  project: 'this project',
  go: 'golang/go runtime and syscall packages; libuv/libuv src/unix',
  f2fs: "openharmony/device_board_hihope rk3568/cfg/fstab.rk3568: /data is f2fs from 3.2 on; the kernel's overlayfs.rst",
} as const;

export type Source = keyof typeof sources;

/** One kernel option: who needs it, what Kconfig makes of it, what a user sees without it. */
export interface KernelOption {
  /** Name without `CONFIG_`. */
  readonly name: string;
  /** The wanted value. @default 'y' */
  readonly want?: 'y' | 'n';
  readonly needs: Readonly<Partial<Record<Feature, Level>>>;
  /**
   * Options that must be on or Kconfig drops this one in silence; `A|B` is satisfied by either. Only what a board's
   * configuration could really lack.
   */
  readonly parents?: readonly string[];
  /** Options that switch this one on by themselves (Kconfig `select`). */
  readonly selectedBy?: readonly string[];
  /** It can be a module; without it Kconfig knows only y and n. */
  readonly module?: true;
  /** Nobody can set it by hand: it is on when `selectedBy` or its default says so. */
  readonly hidden?: true;
  /** Kconfig's own answer where no layer mentions it and the parents are on. @default 'n' */
  readonly byDefault?: 'y' | 'm';
  /** Another option that does the same work, so that its being off is no loss. */
  readonly instead?: string;
  /** First kernel that has the option, `major.minor`. */
  readonly since?: string;
  /** First kernel that no longer has it or no longer needs it, `major.minor`. */
  readonly until?: string;
  /** What a user sees when the value is not the wanted one. */
  readonly without: string;
  readonly source: Source;
}

/** Compares `major.minor` versions: negative, zero or positive. */
export function compareKernels(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor - rightMajor || leftMinor - rightMinor;
}

/** Reports whether an option exists, and is asked for, in a kernel of this version. */
export function appliesTo(option: KernelOption, kernel: string): boolean {
  if (option.since !== undefined && compareKernels(kernel, option.since) < 0) return false;
  return option.until === undefined || compareKernels(kernel, option.until) < 0;
}
