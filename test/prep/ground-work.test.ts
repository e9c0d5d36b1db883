import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { nameServers } from '../../agent/prep/etc-files.ts';
import { GroundWork } from '../../agent/prep/ground-work.ts';
import { lookAtGround } from '../../agent/prep/look.ts';
import type { GroundSettings } from '../../agent/prep/settings.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import type { FakeGround } from '../fakes/fake-ground.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { machineOf, openHarmony, settingsOf, type World } from './worlds.ts';

interface Rig {
  readonly ground: FakeGround;
  readonly clock: FakeClock;
  readonly health: HealthBoard;
  readonly work: GroundWork;
  readonly log: QuietLog;
  looks: number;
}

function rig(world: World = openHarmony, settings: Partial<GroundSettings> = {}): Rig {
  const clock = new FakeClock();
  const health = new HealthBoard(clock);
  const ground = machineOf(world);
  const log = new QuietLog();
  const parts = {
    settings: { ...settingsOf(world), ...settings },
    observer: ground,
    executor: ground,
    board: health,
    clock,
    log,
    files: new FakeDisk(),
  };
  const made: Rig = { ground, clock, health, log, work: new GroundWork(parts), looks: 0 };
  const observe = ground.observe.bind(ground);
  ground.observe = () => {
    made.looks += 1;
    return observe();
  };
  return made;
}

const signal = new AbortController().signal;

test('the first pass prepares the ground, and whoever waits for it goes on', async () => {
  const { work, health } = rig();
  const waiting = work.prepared(signal);
  await work.start(signal);
  await waiting;
  assert.equal(health.get('Prepared')?.status, 'true');
  assert.equal(health.get('RoutesReady')?.reason, 'AsPlanned');
  assert.equal(health.get('NetworkReady')?.message, 'Default route by wlan0 in table 102');
  assert.equal(work.status().repairs, 0);
  assert.deepEqual((await work.plan(signal)).steps, []);
  await work.stop();
});

test('what is taken away later is put back, counted and told; what is new is not called a repair', async () => {
  const { work, ground, clock, health } = rig();
  await work.start(signal);
  ground.tree.unmount('/sys/fs/cgroup/memory', false);
  ground.tell('mounts');
  await clock.advance(1_000);
  assert.equal(work.status().repairs, 1);
  assert.match(work.status().lastRepair?.what ?? '', /memory/);
  ground.network = {
    ...ground.network,
    subnets: [...ground.network.subnets, { device: 'br-1234', subnet: '172.18.0.0/16' }],
    links: [...ground.network.links, { name: 'br-1234', isBridge: true, isUp: true }],
  };
  ground.tell();
  await clock.advance(1_000);
  assert.ok(ground.rules.some((rule) => rule.text === 'from all iif br-1234 lookup 102'));
  assert.equal(work.status().repairs, 1);
  const applied = health.eventsAfter(0).filter((event) => event.event === 'step.applied');
  assert.equal(applied.filter((event) => event.fields['isRepair'] === true).length, 1);
  await work.stop();
});

test('a board where nothing happens is compared, not looked at', async () => {
  const made = rig();
  await made.work.start(signal);
  await made.clock.advance(3_000);
  const before = made.looks;
  await made.clock.advance(114_000);
  assert.equal(made.looks, before);
  await made.clock.advance(9_000);
  assert.equal(made.looks, before + 1, 'every two minutes all is looked at');
  await made.work.stop();
});

test('mounts that came and went again are compared only, and not more than once a second', async () => {
  const made = rig();
  await made.work.start(new AbortController().signal);
  const before = made.looks;
  let compared = 0;
  const fingerprint = made.ground.fingerprint.bind(made.ground);
  made.ground.fingerprint = () => {
    compared += 1;
    return fingerprint();
  };
  for (let turn = 0; turn < 50; turn += 1) {
    made.ground.tell('mounts');
    await made.clock.advance(100);
  }
  assert.equal(made.looks, before);
  assert.ok(compared > 0, 'nobody compared');
  made.ground.tell('network');
  await made.clock.advance(1_000);
  assert.equal(made.looks, before + 1);
  for (let turn = 0; turn < 50; turn += 1) {
    made.ground.tell('network');
    await made.clock.advance(100);
  }
  assert.ok(made.looks <= before + 7, `${made.looks - before} looks within 6 s`);
  await made.work.stop();
});

test('a group that the agent was moved out of is noticed although the kernel tells nobody', async () => {
  const { work, ground, clock } = rig();
  await work.start(new AbortController().signal);
  const looked = ground.observe.bind(ground);
  let looks = 0;
  ground.observe = () => {
    looks += 1;
    return looked();
  };
  ground.memberships = ground.memberships.map((one) => ({ ...one, path: '/elsewhere' }));
  await clock.advance(60_000);
  assert.ok(looks > 0, 'nobody looked');
  await work.stop();
});

test('where the kernel tells no news every turn is a look', async () => {
  const made = rig();
  made.ground.isWatchLive = false;
  await made.work.start(signal);
  const before = made.looks;
  await made.clock.advance(30_000);
  assert.equal(made.looks, before + 10);
  await made.work.stop();
});

test('news that comes while a pass is under way is not lost', async () => {
  const made = rig();
  await made.work.start(signal);
  let isTold = false;
  made.ground.onStep = () => {
    if (isTold) return;
    isTold = true;
    made.ground.tree.unmount('/sys/fs/cgroup/pids', false);
    made.ground.tell();
  };
  made.ground.tree.unmount('/sys/fs/cgroup/memory', false);
  made.ground.tell();
  await made.clock.advance(1_000);
  assert.equal(made.work.status().repairs, 2);
  await made.work.stop();
});

test('a step that fails is named, tried again at each turn, told once, and all is well when it works', async () => {
  const { work, ground, clock, health, log } = rig();
  let isBroken = true;
  ground.onStep = (step) => {
    if (isBroken && step.id === 'mount:/sys/fs/cgroup/devices') throw new Error('EPERM');
  };
  await work.start(signal);
  assert.equal(health.get('Prepared')?.reason, 'StepFailed');
  assert.match(health.get('Prepared')?.message ?? '', /devices.*EPERM/);
  await clock.advance(30_000);
  assert.equal(log.events().filter((event) => event === 'step.failed').length, 1);
  isBroken = false;
  await clock.advance(3_000);
  assert.equal(health.get('Prepared')?.status, 'true');
  await work.stop();
});

test('what units can do without does not hold them up, and is tried again only now and then', async () => {
  const { work, ground, clock, health } = rig();
  let tries = 0;
  ground.onStep = (step) => {
    if (step.id !== 'mount:/sys/fs/cgroup/hugetlb') return;
    tries += 1;
    throw new Error('EBUSY');
  };
  await work.start(signal);
  assert.equal(health.get('Prepared')?.reason, 'OptionalMissing');
  assert.match(health.get('Prepared')?.message ?? '', /hugetlb/);
  await clock.advance(240_000);
  assert.equal(tries, 1);
  await clock.advance(120_000);
  assert.equal(tries, 2);
  await work.stop();
});

test('nothing is mounted where the whole system would see it', async () => {
  const { work, ground, health } = rig();
  ground.namespace = { own: 'mnt:[1]', init: 'mnt:[1]' };
  const before = ground.tree.toString();
  await work.start(signal);
  assert.equal(ground.tree.toString(), before);
  assert.equal(health.get('Prepared')?.reason, 'NamespaceShared');
  assert.match(health.get('Prepared')?.message ?? '', /launch\.sh$/);
  await work.stop();
});

test('a look that fails is told and the next one goes on', async () => {
  const { work, ground, clock, health } = rig();
  await work.start(signal);
  const observe = ground.observe.bind(ground);
  ground.observe = () => Promise.reject(new Error('EIO'));
  ground.tell();
  await clock.advance(1_000);
  assert.equal(health.get('Prepared')?.reason, 'LookFailed');
  ground.observe = observe;
  await clock.advance(3_000);
  assert.equal(health.get('Prepared')?.status, 'true');
  await work.stop();
});

test('the way that the kernel takes decides between rules whose text hides their interface', async () => {
  const { ground, work } = rig();
  const tables = [
    { table: '102', destination: 'default', device: 'wlan0', gateway: '192.168.7.1' },
    { table: '103', destination: 'default', device: 'eth0', gateway: '192.168.8.1' },
  ];
  ground.network = { ...ground.network, routes: tables, uplink: { device: 'eth0' } };
  ground.rules.push({ priority: 12_000, text: 'from all iif lo lookup 102' });
  ground.rules.push({ priority: 12_000, text: 'from all iif lo lookup 103' });
  await work.applyNow();
  assert.ok(ground.rules.some(({ text }) => text === 'from all iif docker0 lookup 103'));
  ground.network = { ...ground.network, uplink: { device: 'wlan0' } };
  await work.applyNow();
  const outward = ground.rules.filter(({ text }) => text.startsWith('from all iif docker0'));
  assert.deepEqual(outward, [{ priority: 8_550, text: 'from all iif docker0 lookup 102' }]);
});

test('a board that lost its network blames the network, not the routes', async () => {
  const { work, ground, clock, health } = rig();
  await work.start(signal);
  ground.network = { ...ground.network, routes: [] };
  ground.tell();
  await clock.advance(1_000);
  assert.equal(health.get('NetworkReady')?.reason, 'NoDefaultRoute');
  assert.equal(health.get('RoutesReady')?.causedBy, 'NetworkReady');
  assert.equal(health.get('Prepared')?.status, 'true');
  await work.stop();
});

test('a board with IPv6 only has a network, and its containers are told to have no way out by IPv4', async () => {
  const { work, ground, health } = rig({ ...openHarmony, uplink: '' });
  ground.hasIpv6Way = true;
  await work.applyNow();
  assert.deepEqual(
    [health.get('NetworkReady')?.status, health.get('NetworkReady')?.reason],
    ['true', 'OnlyIpv6'],
  );
  const routes = health.get('RoutesReady');
  assert.deepEqual([routes?.status, routes?.reason, routes?.causedBy], ['false', 'OnlyIpv6', undefined]);
  assert.match(routes?.message ?? '', /; give the board an IPv4 address/);
});

test('a board that starts before its network gives containers the name servers of the last one, until it has others', async () => {
  const file = '/data/oh-edge-agent/fs/etc/resolv.conf';
  const { work, ground } = rig();
  const servers = (): readonly string[] =>
    (ground.tree.text(file) ?? '').split('\n').filter((line) => line.startsWith('nameserver'));
  ground.nameServers = ['192.168.7.1'];
  await work.applyNow();
  ground.nameServers = [];
  await work.applyNow();
  assert.deepEqual(servers(), ['nameserver 192.168.7.1']);
  assert.deepEqual((await work.plan(signal)).steps, []);
  ground.nameServers = ['10.0.0.53'];
  await work.applyNow();
  assert.deepEqual(servers(), ['nameserver 10.0.0.53']);
});

test('name servers that were configured once do not outlive their configuration', async () => {
  const configured = rig(openHarmony, { dns: ['9.9.9.9'] });
  await configured.work.applyNow();
  const look = await lookAtGround(configured.ground, settingsOf(openHarmony), signal);
  assert.deepEqual(nameServers(look, settingsOf(openHarmony)), []);
});

test('on a kernel before 5.11 the parents of all containers are told to count what is below them', async () => {
  const top = '/sys/fs/cgroup/memory';
  const { work, ground } = rig();
  ground.onStep = (step) => {
    // What the kernel makes of a mount of this hierarchy, and of a new group in it.
    if (step.kind === 'write-sysctl') ground.tree.write(`${top}/memory.use_hierarchy`, knob);
    if (step.kind === 'write-cgroup' && step.path.startsWith(top)) told.push(step.path);
  };
  const knob = { kind: 'file', mode: 0o644, text: '0\n' } as const;
  const told: string[] = [];
  const makeDirectory = ground.tree.makeDirectory.bind(ground.tree);
  ground.tree.makeDirectory = (path, mode) => {
    makeDirectory(path, mode);
    if (path.startsWith(`${top}/`)) ground.tree.write(`${path}/memory.use_hierarchy`, knob);
  };
  await work.applyNow();
  assert.deepEqual(told, [`${top}/docker/memory.use_hierarchy`, `${top}/kubepods/memory.use_hierarchy`]);
  assert.equal(ground.tree.text(`${top}/memory.use_hierarchy`), '0\n', 'the root is not ours');
  assert.deepEqual((await work.plan(signal)).steps, []);
});

test('a switch that the kernel or SELinux refuses keeps nothing down but what it is for', async () => {
  const sysctls = { ...openHarmony.sysctls, 'net.bridge.bridge-nf-call-iptables': '0' };
  const { work, ground, health } = rig({ ...openHarmony, sysctls });
  ground.onStep = (step) => {
    if (step.kind === 'write-sysctl' && step.name.startsWith('net.bridge')) throw new Error('EACCES');
  };
  await work.applyNow();
  const { status, reason, message } = health.get('Prepared') ?? {};
  assert.deepEqual([status, reason], ['true', 'OptionalMissing']);
  assert.match(message ?? '', /without set net\.bridge\.bridge-nf-call-iptables to 1/);
  assert.ok(ground.rules.some(({ text }) => text === 'from all iif docker0 lookup 102'));
});

test('rules that cannot be read are neither trusted nor taken away', async () => {
  const { work, ground, health } = rig();
  ground.networkProblem = 'no busybox';
  await work.start(signal);
  assert.equal(health.get('RoutesReady')?.status, 'unknown');
  assert.equal(health.get('Prepared')?.status, 'true');
  await work.stop();
});

test('after undo nothing is done until somebody applies again', async () => {
  const { work, ground, clock, health } = rig();
  await work.start(signal);
  const undone = await work.undo();
  assert.deepEqual(undone.left, []);
  assert.ok(undone.applied.some((step) => step.kind === 'delete-rule'));
  assert.equal(ground.sysctls.get('net.ipv4.ip_forward'), '0');
  ground.tell();
  await clock.advance(120_000);
  assert.equal(ground.sysctls.get('net.ipv4.ip_forward'), '0');
  assert.equal(health.get('Prepared')?.reason, 'Undone');
  await work.applyNow();
  assert.equal(ground.sysctls.get('net.ipv4.ip_forward'), '1');
  assert.equal(health.get('Prepared')?.status, 'true');
  await work.stop();
});

test('a board on cgroup2 stays on it while somebody holds a v1 hierarchy of devices, as the doctor does for a moment', async () => {
  const { work, ground, clock } = rig({
    ...openHarmony,
    controllers: openHarmony.controllers.map((row) => ({ ...row, group: 0 })),
    unifiedAt: '/sys/fs/cgroup',
    unifiedControllers: ['cpu', 'memory', 'pids'],
  });
  await work.start(signal);
  await work.prepared(signal);
  ground.tree.place(ground.makeHierarchy(['devices'], '/'), '/mnt/probe');
  await clock.advance(70_000);
  const { strategy, steps } = await work.plan(signal);
  assert.deepEqual([strategy.cgroup, steps], ['v2', []]);
  assert.equal(work.status().repairs, 0);
  await work.stop();
});
