import { AgentError } from '../../agent/core/agent-error.ts';

/**
 * What a board has built into its kernel and Debian's kernel has as modules. First what the virtual hardware needs, then
 * what OpenHarmony's kernel has for rk3568 from 5.0 on, then what a container engine needs on top (see `kconfig`).
 */
export const boardModules: readonly string[] = [
  'virtio_mmio',
  'virtio_blk',
  'virtio_net',
  'virtio_console',
  'virtio_rng',
  'crc32c_generic',
  'crc32_generic',
  'ext4',
  'f2fs',
  'configfs',
  'fuse',
  'tun',
  'loop',
  'squashfs',
  'ip_tables',
  'iptable_filter',
  'iptable_mangle',
  'iptable_raw',
  'iptable_nat',
  'nf_conntrack_netlink',
  'ip6_tables',
  'ip6table_filter',
  'ip6table_mangle',
  'ip6table_nat',
  'xt_tcpudp',
  'xt_comment',
  'xt_conntrack',
  'xt_multiport',
  'xt_state',
  'xt_statistic',
  'xt_mark',
  'xt_connmark',
  'xt_owner',
  'xt_nat',
  'xt_MASQUERADE',
  'xt_REDIRECT',
  'xt_TCPMSS',
  'ipt_REJECT',
  'overlay',
  'veth',
  'bridge',
  'br_netfilter',
  'xt_addrtype',
];

/** Names of kernel features for `--without`, and the modules that carry them. */
const featureModules: Readonly<Record<string, readonly string[]>> = {
  nat: ['nf_nat'],
  masquerade: ['xt_MASQUERADE'],
  conntrack: ['nf_conntrack'],
  iptables: ['ip_tables'],
  ip6tables: ['ip6_tables'],
  addrtype: ['xt_addrtype'],
};

/** One module of the kernel package: its file and the modules it needs. */
export interface ModuleEntry {
  readonly file: string;
  readonly needs: readonly string[];
}

/** What is left out of the kernel: modules by name, and cgroup controllers by kernel argument. */
export interface WithoutFeatures {
  readonly modules: readonly string[];
  readonly controllers: readonly string[];
}

/** Turns the words of `--without` into modules and controllers; `cgroup:pids` means the controller. */
export function parseWithout(words: readonly string[]): WithoutFeatures {
  const controllers = words.filter((word) => word.startsWith('cgroup:')).map((word) => word.slice(7));
  const modules = words
    .filter((word) => !word.startsWith('cgroup:'))
    .flatMap((word) => featureModules[word] ?? [word]);
  const unknown = modules.filter((name) => !boardModules.includes(name) && !isKnownPart(name));
  if (unknown.length > 0) {
    throw new AgentError(
      'USAGE',
      `Cannot leave out ${unknown.join(', ')}: not a feature of the board's kernel; use one of ${[...Object.keys(featureModules), ...boardModules, 'cgroup:NAME'].join(', ')}`,
    );
  }
  return { modules, controllers };
}

function isKnownPart(name: string): boolean {
  return Object.values(featureModules).some((parts) => parts.includes(name));
}

/**
 * The module files to load, dependencies first. A module that is left out takes along all that cannot load without it.
 * Names that are built in need no file.
 */
export function modulesToLoad(
  entries: ReadonlyMap<string, ModuleEntry>,
  builtin: ReadonlySet<string>,
  without: readonly string[],
): string[] {
  const fixed = without.filter((name) => builtin.has(normal(name)));
  if (fixed.length > 0) {
    throw new AgentError('USAGE', `Cannot leave out ${fixed.join(', ')}: it is built into this kernel`);
  }
  const left = new Set(without.map(normal));
  const canLoad = (name: string): boolean =>
    !left.has(name) && (entries.get(name)?.needs ?? []).every((needed) => canLoad(needed));
  const ordered: string[] = [];
  const place = (name: string): void => {
    const entry = entries.get(name);
    if (entry === undefined || ordered.includes(entry.file)) return;
    for (const needed of entry.needs) place(needed);
    ordered.push(entry.file);
  };
  for (const wanted of boardModules.map(normal)) {
    if (!entries.has(wanted) && !builtin.has(wanted)) {
      throw new AgentError('FILE_FAILED', `Cannot build the board: its kernel has no module ${wanted}`);
    }
    if (canLoad(wanted)) place(wanted);
  }
  return ordered;
}

/** Reads what a module needs from its .modinfo section: NUL-separated `key=value` texts. */
export function parseModuleNeeds(bytes: Uint8Array): string[] {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = content.indexOf('\0depends=', 0, 'latin1');
  if (at === -1) return [];
  const start = at + '\0depends='.length;
  const list = content.toString('latin1', start, content.indexOf(0, start));
  return list.split(',').filter(Boolean).map(normal);
}

/** The name by which the kernel knows a module file: `virtio-rng.ko.xz` is `virtio_rng`. */
export function moduleName(file: string): string {
  return normal(file.replace(/^.*\//, '').replace(/\.ko.*$/, ''));
}

function normal(name: string): string {
  return name.replaceAll('-', '_');
}
