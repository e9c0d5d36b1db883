import type { Symptom } from '../core/end-faults.ts';

/**
 * Last words of dockerd 20.10 to 28 and what they mean, most special first. Texts: moby cmd/dockerd/daemon.go,
 * daemon/daemon_unix.go, libnetwork/drivers/bridge, pkg/pidfile, libcontainerd/supervisor; those without `(source)` were
 * seen with 20.10.24.
 */
export const dockerdSymptoms: readonly Symptom[] = [
  {
    pattern: /unable to configure the Docker daemon with file [^:]+: (.*)/,
    reason: 'DaemonConfigInvalid',
    message: 'dockerd refuses its configuration ($1); correct dockerd.config in agent.yaml',
    isPermanent: true,
  },
  {
    pattern:
      /(specified both as a flag and in the configuration file|directives don't match any configuration option).*/,
    reason: 'DaemonConfigInvalid',
    message: 'dockerd refuses its configuration ($1); correct dockerd.config in agent.yaml',
    isPermanent: true,
  },
  {
    pattern: /failed to start containerd: exec: "containerd": executable file not found/,
    reason: 'ContainerdMissing',
    message: 'dockerd does not find containerd in its PATH; put containerd into dockerd.binDir',
    isPermanent: true,
  },
  {
    pattern: /failed to find runc binary|exec: "runc": executable file not found/,
    reason: 'RuncMissing',
    message: 'dockerd does not find runc in its PATH; put runc into dockerd.binDir',
    isPermanent: true,
  },
  {
    pattern: /Devices cgroup isn't mounted/,
    reason: 'CgroupDevicesMissing',
    message: 'The devices cgroup is not mounted; see `agentctl plan`, and CONFIG_CGROUP_DEVICE in the kernel',
  },
  {
    pattern: /[Ii]ptables not found/,
    reason: 'IptablesMissing',
    message: 'There is no iptables in the PATH; put a static iptables into dockerd.binDir',
  },
  {
    pattern: /Failed to initialize nft|CHAIN_ADD failed/,
    reason: 'IptablesNft',
    message: 'This iptables speaks nftables, which the kernel lacks; put in iptables-legacy',
  },
  {
    pattern: /can't initialize ip6?tables table `?'?(\w+)/,
    reason: 'KernelLacksIptables',
    message:
      'The kernel has no iptables table $1 (CONFIG_IP_NF_NAT, CONFIG_IP_NF_FILTER); see `agentctl doctor`',
  },
  {
    pattern: /No chain\/target\/match by that name/,
    reason: 'KernelLacksMatch',
    message: 'The kernel lacks an iptables match, mostly NETFILTER_XT_MATCH_ADDRTYPE; see `agentctl doctor`',
  },
  {
    pattern: /cannot restrict inter-container communication or run without the userland proxy/,
    reason: 'BrNetfilterMissing',
    message: 'The kernel lacks BRIDGE_NETFILTER; build it in, see `agentctl doctor`',
  },
  {
    pattern: /Error saving key file: (.*)/,
    reason: 'KeyFileNotWritable',
    message:
      'dockerd cannot write its key file ($1); set deprecated-key-path in dockerd.config to a place on /data',
  },
  {
    pattern: /contains several valid graphdrivers: (.*)/,
    reason: 'StorageDriverAmbiguous',
    message:
      'The data-root was used with several storage drivers ($1); keep one and move the other directories away',
    isPermanent: true,
  },
  {
    pattern: /error initializing graphdriver: (.*)/,
    reason: 'StorageDriverFailed',
    message:
      'The storage driver does not work here ($1); see CONFIG_OVERLAY_FS and the file system of dockerd.dataRoot',
  },
  {
    pattern: /pid file found, ensure docker is not running|process with PID (\d+) is still running/,
    reason: 'PidFileBlocks',
    message: 'A pid file names a living process; if that is no dockerd, remove the file',
  },
  {
    pattern: /timeout waiting for containerd to start/,
    reason: 'ContainerdStartTimedOut',
    message: 'containerd did not start within 15 s; an old one may still be leaving, or its state is broken',
  },
  {
    pattern: /failed to dial "([^"]*containerd[^"]*)"/,
    reason: 'ContainerdSocketDead',
    message: 'Nobody listens on $1; remove that socket file',
  },
  {
    pattern: /failed to load listeners: (.*)/,
    reason: 'ListenFailed',
    message: 'dockerd cannot listen on its socket: $1',
  },
];
