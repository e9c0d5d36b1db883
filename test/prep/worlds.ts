import fc from 'fast-check';
import type { GroundSettings } from '../../agent/prep/settings.ts';
import { FakeGround } from '../fakes/fake-ground.ts';

/** A board as chance makes it. */
export interface World {
  readonly entries: readonly string[];
  readonly isReadOnly: boolean;
  readonly isEtcLinked: boolean;
  readonly isRunMounted: boolean;
  /** For each controller: enabled, and the number of the hierarchy it shares (0: inactive). */
  readonly controllers: readonly {
    readonly name: string;
    readonly isEnabled: boolean;
    readonly group: number;
  }[];
  readonly ownGroup: string;
  readonly unifiedAt: string;
  readonly unifiedControllers: readonly string[];
  readonly hasPolicy: boolean;
  readonly uplink: string;
  readonly bridges: readonly string[];
  readonly foreignRules: readonly { readonly priority: number; readonly text: string }[];
  readonly ownRules: readonly { readonly priority: number; readonly text: string }[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly dns: readonly string[];
  readonly isRoutingOn: boolean;
  readonly hosts: string;
}

const rootNames = ['run', 'var', 'opt', 'usr', 'root', 'tmp', 'init', 'storage'];
const controllerNames = [
  'cpuset',
  'cpu',
  'cpuacct',
  'blkio',
  'memory',
  'devices',
  'freezer',
  'net_cls',
  'pids',
  'hugetlb',
];

export const worlds: fc.Arbitrary<World> = fc.record(
  {
    entries: fc.oneof(fc.constant(rootNames), fc.subarray(rootNames)),
    isReadOnly: fc.boolean(),
    isEtcLinked: fc.boolean(),
    isRunMounted: fc.boolean(),
    controllers: fc
      .tuple(
        ...controllerNames.map((name) =>
          fc
            .record({ isEnabled: fc.boolean(), group: fc.integer({ min: 0, max: 4 }) })
            .map((row) => ({ name, ...row })),
        ),
      )
      .chain((rows) =>
        fc.constantFrom(
          rows,
          rows.map((row) => ({ ...row, group: 0 })),
        ),
      )
      .map((rows) => [...rows]),
    ownGroup: fc.constantFrom('/', '/system', '/native/oh_edge_agent/pid_7'),
    unifiedAt: fc.constantFrom('', '/sys/fs/cgroup', '/mnt/cg2'),
    unifiedControllers: fc.subarray(controllerNames),
    hasPolicy: fc.boolean(),
    uplink: fc.constantFrom('', '102', '2003', 'main'),
    bridges: fc.subarray(['docker0', 'br-0123456789ab', 'cni0', 'wlan0', 'virbr0']),
    foreignRules: fc.subarray([
      { priority: 8500, text: 'from all fwmark 0x5 lookup 7' },
      { priority: 8550, text: 'from 10.1.0.0/16 lookup 98' },
      { priority: 8520, text: 'from all to 10.9.0.0/16 lookup main' },
      { priority: 12000, text: 'from all fwmark 0x10/0xffff oif wlan0 lookup 102' },
    ]),
    ownRules: fc.array(
      fc.constantFrom(
        { priority: 8500, text: 'from all to 172.17.0.0/16 lookup main' },
        { priority: 8500, text: 'from all to 172.31.0.0/16 lookup main' },
        { priority: 8550, text: 'from all iif docker0 lookup 102' },
        { priority: 8550, text: 'from all iif gone0 [detached] lookup 103' },
      ),
      { maxLength: 5 },
    ),
    sysctls: fc.record({
      'net.ipv4.ip_forward': fc.constantFrom('0', '1'),
      'net.ipv4.conf.all.rp_filter': fc.constantFrom('0', '1', '2'),
      'net.bridge.bridge-nf-call-iptables': fc.constantFrom('0', '1'),
    }),
    dns: fc.subarray(['192.168.1.1', '9.9.9.9']),
    isRoutingOn: fc.boolean(),
    hosts: fc.constantFrom('', '127.0.0.1 localhost\n'),
  },
  { noNullPrototype: true },
);

/** A board as OpenHarmony 6 makes it, with the mount points of our image. */
export const openHarmony: World = {
  entries: ['run', 'var', 'opt', 'usr', 'root', 'tmp', 'init'],
  isReadOnly: true,
  isEtcLinked: true,
  isRunMounted: false,
  controllers: controllerNames.map((name) => ({ name, isEnabled: true, group: name === 'cpu' ? 1 : 0 })),
  ownGroup: '/',
  unifiedAt: '',
  unifiedControllers: [],
  hasPolicy: true,
  uplink: '102',
  bridges: ['docker0'],
  foreignRules: [],
  ownRules: [],
  sysctls: { 'net.ipv4.ip_forward': '0', 'net.ipv4.conf.all.rp_filter': '0', 'kernel.hostname': 'localhost' },
  dns: [],
  isRoutingOn: true,
  hosts: '127.0.0.1 localhost\n',
};

export function settingsOf(world: World): GroundSettings {
  return {
    root: 'auto',
    cgroup: 'auto',
    intervalMs: 3_000,
    dns: world.dns,
    routes: { isEnabled: world.isRoutingOn, subnets: [], priority: 8_500 },
    home: '/data/oh-edge-agent',
    dataRoot: '/data/oh-edge-agent/docker',
    productDir: '/system/opt/oh-edge-agent',
    binDir: '/system/opt/oh-edge-agent/docker',
    busybox: '/system/opt/oh-edge-agent/bin/busybox',
  };
}

/** The machine of a world. */
export function machineOf(world: World): FakeGround {
  const ground = new FakeGround();
  buildTree(ground, world);
  buildCgroups(ground, world);
  buildNetwork(ground, world);
  for (const [name, value] of Object.entries(world.sysctls)) ground.sysctls.set(name, value);
  return ground;
}

function buildTree({ tree }: FakeGround, world: World): void {
  const root = tree.makeFilesystem('ext4', '/dev/system');
  tree.place(root, '/', [world.isReadOnly ? 'ro' : 'rw']);
  const put = (
    path: string,
    kind: 'directory' | 'file' | 'symlink' = 'directory',
    more: object = {},
  ): void => {
    root.nodes.set(path, { kind, mode: 0o755, ...more });
  };
  for (const name of ['data', 'dev', 'proc', 'sys', 'system', 'mnt', ...world.entries]) put(`/${name}`);
  for (const name of ['etc', 'etc/cni', 'etc/cni/net.d', 'etc/docker', 'etc/kubeedge'])
    put(`/system/${name}`);
  if (world.entries.includes('init')) put('/init', 'symlink', { target: '/system/bin/init' });
  const etc = world.isEtcLinked ? '/system/etc' : '/etc';
  if (world.isEtcLinked) put('/etc', 'symlink', { target: '/system/etc' });
  else for (const name of ['', '/cni', '/cni/net.d', '/docker', '/kubeedge']) put(`/etc${name}`);
  put(`${etc}/passwd`, 'file', { text: 'root:x:0:0' });
  put(`${etc}/machine-id`, 'file', { text: '' });
  if (world.hosts !== '') put(`${etc}/hosts`, 'file', { text: world.hosts });
  tree.place(tree.makeFilesystem('f2fs', '/dev/userdata'), '/data', ['rw', 'nosuid', 'nodev']);
  tree.place(tree.makeFilesystem('tmpfs', 'tmpfs'), '/mnt');
  const sysfs = tree.makeFilesystem('sysfs', 'sysfs');
  for (const path of ['/fs', '/fs/cgroup']) sysfs.nodes.set(path, { kind: 'directory', mode: 0o755 });
  tree.place(sysfs, '/sys');
  if (world.isRunMounted && world.entries.includes('run'))
    tree.place(tree.makeFilesystem('tmpfs', 'tmpfs'), '/run');
}

function buildCgroups(ground: FakeGround, world: World): void {
  const { tree } = ground;
  ground.controllers = world.controllers.map(({ name, isEnabled }) => ({ name, isEnabled, hierarchy: 0 }));
  for (const group of [1, 2, 3, 4]) {
    const names = world.controllers
      .filter((row) => row.isEnabled && row.group === group)
      .map((row) => row.name);
    if (names.length === 0) continue;
    const hierarchy = ground.makeHierarchy(names, world.ownGroup);
    tree.place(hierarchy, `/mnt/h${group}`);
  }
  if (world.unifiedAt === '') return;
  ground.unifiedControllers = world.unifiedControllers;
  const unified = tree.makeFilesystem('cgroup2', 'cgroup2');
  unified.nodes.set('/cgroup.controllers', { kind: 'file', mode: 0o444, text: 'cpu memory pids' });
  unified.nodes.set('/cgroup.subtree_control', { kind: 'file', mode: 0o644, text: 'cpu' });
  unified.nodes.set('/cgroup.procs', { kind: 'file', mode: 0o644 });
  tree.place(unified, world.unifiedAt);
  ground.memberships.push({ hierarchy: 0, controllers: [], path: world.ownGroup });
}

function buildNetwork(ground: FakeGround, world: World): void {
  const links = ['lo', 'wlan0', ...world.bridges.filter((name) => name !== 'wlan0')];
  ground.network = {
    links: links.map((name) => ({ name, isUp: true, isBridge: name !== 'lo' && name !== 'wlan0' })),
    subnets: world.bridges.map((device, index) => ({ device, subnet: `172.${17 + index}.0.0/16` })),
    routes:
      world.uplink === ''
        ? []
        : [{ table: world.uplink, destination: 'default', device: 'wlan0', gateway: '192.168.7.1' }],
  };
  const policy = [
    { priority: 13_000, text: 'from all fwmark 0/0x10000 lookup 99' },
    { priority: 16_000, text: `from all fwmark 0/0xffff iif lo lookup ${world.uplink || '102'}` },
  ];
  ground.rules = [
    { priority: 0, text: 'from all lookup local' },
    ...world.ownRules,
    ...world.foreignRules,
    ...(world.hasPolicy ? policy : []),
    { priority: 32_766, text: 'from all lookup main' },
  ];
}
