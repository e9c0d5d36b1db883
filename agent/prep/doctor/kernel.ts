import type { Finding } from '../../api/wire.ts';
import { isAgentError, messageOf } from '../../core/agent-error.ts';
import type { GroundProbes, KernelProbe, ProbePlace, ProbeResults } from '../../core/ground-probes.ts';
import { mergeConfigs, parseConfig } from '../../kernel/config-text.ts';
import {
  checkKernel,
  type KernelReport,
  lackingOptions,
  type OptionVerdict,
} from '../../kernel/kernel-check.ts';
import { defaultFeatures, type Feature } from '../../kernel/kernel-option.ts';
import { fine, found, type Outcome } from './finding.ts';

interface ProbeRow {
  readonly title: string;
  /** Kernel options that it stands for, without `CONFIG_`. */
  readonly options: readonly string[];
  /** Module that brings it where the kernel is built with modules. */
  readonly module: string;
  readonly severity: Outcome['severity'];
  readonly why: string;
}

/** What a user sees when a probe fails. */
const rows: Readonly<Record<KernelProbe, ProbeRow>> = {
  overlay: {
    title: 'The kernel has overlayfs',
    options: ['OVERLAY_FS'],
    module: 'overlay',
    severity: 'error',
    why: 'dockerd ends with "driver not supported" (overlay2), or fills the flash with full copies (vfs)',
  },
  'overlay-data': {
    title: 'overlayfs works on the disk of the data-root',
    options: [],
    module: 'overlay',
    severity: 'error',
    why: 'dockerd ends with "failed to mount overlay: invalid argument": the filesystem has casefold, no xattr or no d_type',
  },
  mqueue: {
    title: 'The kernel has POSIX message queues',
    options: ['POSIX_MQUEUE'],
    module: '',
    severity: 'error',
    why: 'Every container fails with "error mounting mqueue … no such device"',
  },
  veth: {
    title: 'The kernel has veth pairs',
    options: ['VETH'],
    module: 'veth',
    severity: 'error',
    why: 'Containers with a network fail with "failed to add the host (veth…) <=> sandbox pair interfaces: operation not supported"',
  },
  bridge: {
    title: 'The kernel has bridges',
    options: ['BRIDGE'],
    module: 'bridge',
    severity: 'error',
    why: 'dockerd ends with "failed to create bridge docker0"',
  },
  'bridge-filter': {
    title: 'Bridged packets pass the firewall',
    options: ['BRIDGE_NETFILTER'],
    module: 'br_netfilter',
    severity: 'warning',
    why: 'Containers reach each other past the rules; docker 28 fails without DOCKER_IGNORE_BR_NETFILTER_ERROR=1',
  },
  nat: {
    title: 'iptables can masquerade',
    options: ['IP_NF_NAT', 'IP_NF_TARGET_MASQUERADE', 'NETFILTER_XT_TARGET_MASQUERADE'],
    module: 'iptable_nat',
    severity: 'error',
    why: 'dockerd ends with "can\'t initialize iptables table `nat\'", or containers reach nothing outside the board',
  },
  addrtype: {
    title: 'iptables can match local addresses',
    options: ['NETFILTER_XT_MATCH_ADDRTYPE'],
    module: 'xt_addrtype',
    severity: 'error',
    why: 'dockerd ends with "No chain/target/match by that name"',
  },
  conntrack: {
    title: 'iptables can match connections',
    options: ['NETFILTER_XT_MATCH_CONNTRACK', 'NF_CONNTRACK'],
    module: 'xt_conntrack',
    severity: 'error',
    why: 'dockerd ends with "No chain/target/match by that name"; answers to containers are dropped',
  },
  raw: {
    title: 'iptables has the table raw',
    options: ['IP_NF_RAW'],
    module: 'iptable_raw',
    severity: 'warning',
    why: 'docker 28 cannot publish ports without DOCKER_INSECURE_NO_IPTABLES_RAW=1',
  },
  'devices-cgroup': {
    title: 'Devices can be kept from containers',
    options: ['CGROUP_DEVICE'],
    module: '',
    severity: 'error',
    why: 'dockerd ends with "Devices cgroup isn\'t mounted", or runc fails to set device rules',
  },
};

/** What the board wants of its kernel. */
export interface KernelWish {
  readonly release: string;
  readonly isUnified: boolean;
  /** The kernel offers the v1 controller devices and the board uses v1; otherwise the cgroup checks have said what is to be said. */
  readonly hasDevices: boolean;
  readonly place: ProbePlace;
  /** Type of the filesystem under the data-root. */
  readonly dataFilesystem: string;
  readonly modules: readonly string[];
  readonly loadable: readonly string[];
}

/** The kernel: what it says of itself where it does, and what it does when tried. A probe that works outweighs a word. */
export async function checkKernelFeatures(
  probes: Pick<GroundProbes, 'kernel' | 'kernelConfig'>,
  wish: KernelWish,
): Promise<readonly Finding[]> {
  const report = await readReport(probes, wish);
  const lacking =
    report === undefined ? [] : lackingOptions(report).filter((option) => isMeant(option, wish));
  const tried = await probes.kernel(wish.place).catch(untried);
  if ('id' in tried) return [tried, ...fromOptions(lacking), ...whole(report, lacking)];
  const relevant = withoutConsequences(tried, wish);
  const covered = new Set([...relevant.keys()].flatMap((probe) => rows[probe].options));
  const rest = lacking.filter((option) => !covered.has(option.name));
  return [
    ...[...relevant].map(([probe, result]) => fromProbe(probe, result, lacking, wish)),
    ...fromOptions(rest),
    ...whole(report, rest),
  ];
}

/** Probes that can only fail together with another one say nothing of their own then. */
const causes: Readonly<Partial<Record<KernelProbe, KernelProbe>>> = {
  'overlay-data': 'overlay',
  'bridge-filter': 'bridge',
};

function withoutConsequences(results: ProbeResults, wish: KernelWish): ProbeResults {
  const isTold = (probe: KernelProbe): boolean => {
    const cause = causes[probe];
    if (cause !== undefined && results.get(cause)?.isOk === false) return false;
    return probe !== 'devices-cgroup' || wish.hasDevices;
  };
  return new Map([...results].filter(([probe]) => isTold(probe)));
}

async function readReport(
  probes: Pick<GroundProbes, 'kernelConfig'>,
  wish: KernelWish,
): Promise<KernelReport | undefined> {
  const text = await probes.kernelConfig();
  if (text === undefined) return undefined;
  const kernel = /^\d+\.\d+/.exec(wish.release)?.[0] ?? '6.6';
  const features = wish.isUnified
    ? [...defaultFeatures.filter((feature) => feature !== 'cgroup-v1'), 'cgroup-v2' as Feature]
    : defaultFeatures;
  const { config } = mergeConfigs([parseConfig(text, '/proc/config.gz')]);
  return checkKernel(config, { features, kernel, isWhole: true });
}

function untried(error: unknown): Finding {
  const seen = messageOf(error);
  const title = 'The kernel can be tried';
  if (isAgentError(error, 'TIMED_OUT')) {
    return found('kernel.probes', title, {
      severity: 'warning',
      seen,
      wanted: 'an answer of the kernel',
      why: 'The board is too busy to tell what its kernel can do; this says nothing of the kernel itself',
      fix: 'run `agentctl doctor` again when the board is quieter',
    });
  }
  return found('kernel.probes', title, {
    severity: 'warning',
    seen,
    wanted: 'scratch namespaces for mounts and network',
    why: 'Without namespaces no container runs either; not being root looks the same',
    fix: 'run it as root; build the kernel with CONFIG_NAMESPACES=y and CONFIG_NET_NS=y',
  });
}

function fromProbe(
  probe: KernelProbe,
  result: { readonly isOk: boolean; readonly said: string },
  lacking: readonly OptionVerdict[],
  wish: KernelWish,
): Finding {
  const row = rows[probe];
  const id = `kernel.${probe}`;
  if (result.isOk) return fine(id, row.title, 'tried, works');
  const missing = lacking
    .filter((option) => row.options.includes(option.name))
    .map((option) => `CONFIG_${option.name}`);
  const words = missing.length === 0 ? '' : `; the kernel is built without ${missing.join(', ')}`;
  const { severity, why, title } = row;
  return found(id, title, {
    severity,
    seen: `tried: ${result.said || 'failed without a word'}${words}`,
    wanted: 'it works',
    why,
    fix: probeFix(row, wish),
  });
}

function probeFix(row: ProbeRow, wish: KernelWish): string {
  if (row.options.length === 0)
    return 'put dockerd.dataRoot on ext4 or f2fs without casefold, or into an ext4 image file';
  const options = row.options.map((name) => `CONFIG_${name}=y`).join(' ');
  const isOffered = wish.loadable.includes(row.module) && !wish.modules.includes(row.module);
  return isOffered
    ? `load the module: busybox modprobe ${row.module}`
    : `build the kernel with ${options}: npm run kconfig -- fragment`;
}

/** Options of a filesystem that this board does not put containers on are none of its business. */
function isMeant(option: OptionVerdict, wish: KernelWish): boolean {
  return !option.name.startsWith('F2FS_') || wish.dataFilesystem === 'f2fs';
}

/** What is only nice to have is one line for all. */
function fromOptions(options: readonly OptionVerdict[]): readonly Finding[] {
  const needed = options.filter((option) => option.level !== 'optional');
  const nice = options.filter((option) => option.level === 'optional');
  if (nice.length === 0) return needed.map(fromOption);
  const seen = nice.map((option) => `CONFIG_${option.name}=${option.value}: ${option.without}`).join('; ');
  return [
    ...needed.map(fromOption),
    found('kernel.config.optional', 'The kernel is built with options that are nice to have', {
      severity: 'info',
      seen,
      wanted: nice.map((option) => `CONFIG_${option.name}=${option.want}`).join(' '),
      why: 'Single features are missing, as said for each',
      fix: 'npm run kconfig -- fragment writes the options to add for this kernel',
    }),
  ];
}

function fromOption(option: OptionVerdict): Finding {
  const severity =
    option.level === 'required' ? 'error' : option.level === 'recommended' ? 'warning' : 'info';
  return found(
    `kernel.config.${option.name}`,
    `The kernel is built with CONFIG_${option.name}=${option.want}`,
    {
      severity,
      seen: `CONFIG_${option.name}=${option.value}`,
      wanted: `CONFIG_${option.name}=${option.want}`,
      why: option.without,
      fix: 'npm run kconfig -- fragment writes the options to add for this kernel',
    },
  );
}

function whole(report: KernelReport | undefined, lacking: readonly OptionVerdict[]): readonly Finding[] {
  const title = 'The configuration of the kernel';
  if (report === undefined)
    return [
      fine('kernel.config', title, 'the kernel does not tell it (no /proc/config.gz); it was tried instead'),
    ];
  return lacking.length === 0
    ? [fine('kernel.config', title, `${report.options.length} options as wanted`)]
    : [];
}
