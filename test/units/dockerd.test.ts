import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { UnitCommand } from '../../agent/core/unit-spec.ts';
import { isFault } from '../../agent/core/unit-spec.ts';
import { isRootInitramfs } from '../../agent/units/dockerd.ts';
import { daemonConfig, majorVersion } from '../../agent/units/dockerd-config.ts';
import { DockerdRig, places, settings } from './dockerd-rig.ts';

const never = new AbortController().signal;

async function command(rig: DockerdRig): Promise<UnitCommand> {
  const outcome = await rig.unit.prepare(never);
  assert.ok(!isFault(outcome), JSON.stringify(outcome));
  return outcome;
}

function written(rig: DockerdRig): Readonly<Record<string, unknown>> {
  return JSON.parse(rig.disk.files.get(places.configFile) ?? '{}') as Record<string, unknown>;
}

test('an updated dockerd wins over the configured one, with the programs that came along', async () => {
  const rig = new DockerdRig();
  rig.programs.put('/data/agent/parts/dockerd/current/dockerd');
  const { argv, env } = await command(rig);
  assert.equal(argv[0], '/data/agent/parts/dockerd/current/dockerd');
  assert.match(env['PATH'] ?? '', /^\/data\/agent\/parts\/dockerd\/current:/);
});

test('dockerd is started with nothing but its configuration file', async () => {
  const rig = new DockerdRig();
  assert.deepEqual(await command(rig), {
    argv: ['/parts/docker/dockerd', '--config-file', places.configFile],
    env: { PATH: '/data/agent/parts/dockerd/current:/parts/docker:/system/bin', HOME: '/root' },
    cwd: '/',
    oomScoreAdj: -500,
    isInRootGroups: true,
  });
  assert.equal(rig.disk.modes.get(places.configFile), 0o600);
});

test('daemon.json pins the storage driver and keeps everything volatile in /run', async () => {
  const rig = new DockerdRig();
  await command(rig);
  assert.deepEqual(written(rig), {
    'data-root': '/data/docker',
    'exec-root': '/run/docker',
    pidfile: '/run/docker.pid',
    hosts: ['unix:///run/docker.sock'],
    'storage-driver': 'overlay2',
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'live-restore': true,
    'log-driver': 'local',
    'log-opts': { 'max-size': '5m', 'max-file': '2' },
    'userland-proxy': false,
    'max-concurrent-downloads': 1,
    'shutdown-timeout': 15,
    dns: ['192.168.1.1'],
    'deprecated-key-path': '/data/agent/state/docker-key.json',
  });
});

test('the key path is only for versions that know it', async () => {
  const rig = new DockerdRig();
  rig.version('28.5.2');
  await command(rig);
  assert.equal(written(rig)['deprecated-key-path'], undefined);
  assert.equal(majorVersion('Docker version 20.10.24+dfsg1, build 297e128'), 20);
  assert.equal(majorVersion('nonsense'), undefined);
});

test("the operator's keys win, but our socket stays", () => {
  const config = daemonConfig(
    {
      ...settings,
      'dockerd.config': {
        'storage-driver': 'vfs',
        hosts: ['tcp://127.0.0.1:2375'],
        'exec-opts': ['native.cgroupdriver=systemd'],
        'data-root': '/mnt/sd/docker',
      },
    },
    places,
    { major: 28, dns: [] },
  );
  const { hosts } = JSON.parse(config.text) as { hosts: string[] };
  assert.deepEqual(hosts, ['unix:///run/docker.sock', 'tcp://127.0.0.1:2375']);
  assert.deepEqual(
    { storage: config.storageDriver, cgroup: config.cgroupDriver, data: config.dataRoot },
    { storage: 'vfs', cgroup: 'systemd', data: '/mnt/sd/docker' },
  );
});

test('an unchanged daemon.json is not written again', async () => {
  const rig = new DockerdRig();
  await command(rig);
  const before = rig.disk.writtenBytes;
  await command(rig);
  // What is written is only the trial whether there is room.
  assert.equal(rig.disk.writtenBytes - before, 262_144);
});

test('a missing or foreign program is a permanent fault that names the file', async () => {
  const rig = new DockerdRig();
  rig.programs.put('/parts/docker/dockerd', { elf: { bits: 64, machine: 62 } });
  assert.deepEqual(await rig.unit.prepare(never), {
    reason: 'WrongArchitecture',
    message: '"/parts/docker/dockerd" is for x86-64, this machine is aarch64; put in the right build',
    isPermanent: true,
  });
  const bare = new DockerdRig();
  bare.programs.put('/parts/docker/runc', { isExecutable: false });
  const fault = await bare.unit.prepare(never);
  assert.ok(isFault(fault));
  assert.equal(fault.reason, 'NotExecutable');
});

test('the xtables lock of the system is shared where there is one', async () => {
  const rig = new DockerdRig();
  rig.programs.put('/system/etc/xtables.lock');
  assert.equal((await command(rig)).env['XTABLES_LOCKFILE'], '/system/etc/xtables.lock');
});

test('runc is told not to pivot only out of the first root of the kernel', async () => {
  const tmpfs = '22 1 0:20 / / rw,relatime shared:1 - tmpfs tmpfs rw,size=1024k\n';
  assert.equal(isRootInitramfs(tmpfs), false);
  assert.equal(isRootInitramfs('22 1 0:20 / / rw - rootfs rootfs rw\n'), true);
  assert.equal(
    isRootInitramfs('22 1 0:20 / / rw - rootfs rootfs rw\n30 22 8:1 / / ro - ext4 /dev/sda ro\n'),
    false,
  );
  const rig = new DockerdRig();
  rig.disk.files.set('/proc/self/mountinfo', '22 1 0:20 / / rw - rootfs rootfs rw\n');
  assert.equal((await command(rig)).env['DOCKER_RAMDISK'], 'true');
});

test('it is ready only when the wanted drivers are really in use', async () => {
  const rig = new DockerdRig();
  assert.deepEqual(await rig.unit.probe('start', never), { verdict: 'ready' });
  rig.docker.info = { Driver: 'vfs', CgroupDriver: 'cgroupfs' };
  const storage = await rig.unit.probe('start', never);
  assert.equal(storage.verdict === 'unready' && storage.reason, 'WrongStorageDriver');
  rig.docker.info = { Driver: 'overlay2', CgroupDriver: 'systemd' };
  const cgroup = await rig.unit.probe('start', never);
  assert.equal(cgroup.verdict === 'unready' && cgroup.reason, 'WrongCgroupDriver');
});

test('a dockerd that answers is not called silent where nobody can look for its shims just now', async () => {
  const rig = new DockerdRig();
  rig.processes.findByProgram = () => Promise.reject(new Error('EMFILE'));
  assert.deepEqual(await rig.unit.probe('start', never), { verdict: 'ready' });
  assert.deepEqual(await rig.unit.probe('deep', never), { verdict: 'alive' });
});

test('a dockerd that could not be asked for want of descriptors is not called silent', async () => {
  const rig = new DockerdRig();
  for (const code of ['EMFILE', 'ENFILE']) {
    const cause = Object.assign(new Error(`connect ${code}`), { code });
    rig.docker.request = () => Promise.reject(new AgentError('TOOL_FAILED', 'Cannot ask dockerd', { cause }));
    for (const depth of ['start', 'cheap', 'deep'] as const)
      assert.deepEqual(await rig.unit.probe(depth, never), { verdict: 'alive' });
  }
});

test('a hanging containerd makes it unready, never silent', async () => {
  const rig = new DockerdRig();
  rig.docker.mood = 'runtime-hung';
  for (const depth of ['start', 'deep'] as const) {
    const health = await rig.unit.probe(depth, never);
    assert.equal(health.verdict === 'unready' && health.reason, 'RuntimeHung');
  }
  assert.deepEqual(await rig.unit.probe('cheap', never), { verdict: 'alive' });
  rig.docker.mood = 'frozen';
  assert.equal((await rig.unit.probe('cheap', never)).verdict, 'silent');
});

test('at rest nothing is asked for which dockerd starts a program, as long as its containerd answers', async () => {
  const rig = new DockerdRig();
  const { containerd, docker, unit } = rig;
  containerd.listing.add('/run/docker/containerd/containerd.sock');
  assert.deepEqual(await unit.probe('deep', never), { verdict: 'alive' });
  const list = 'GET /containers/json?all=1';
  assert.deepEqual(docker.calls, ['GET /_ping', list]);
  containerd.listing.clear();
  assert.deepEqual(await unit.probe('deep', never), { verdict: 'alive' });
  assert.deepEqual(docker.calls.slice(2), ['GET /_ping', 'GET /version', list]);
  containerd.listing.add('/run/docker/containerd/containerd.sock');
  docker.mood = 'frozen';
  assert.equal((await unit.probe('deep', never)).verdict, 'silent');
});

test('an error answer is an answer', async () => {
  const rig = new DockerdRig();
  rig.docker.status = 500;
  const health = await rig.unit.probe('cheap', never);
  assert.equal(health.verdict === 'unready' && health.reason, 'ErrorAnswer');
});

test('a process with our configuration file is ours, any other dockerd is not', () => {
  const { unit } = new DockerdRig();
  const facts = {
    pid: 5,
    parentPid: 1,
    state: 'S',
    startTicks: 1,
    exe: '/parts/docker/dockerd',
    name: 'dockerd',
  };
  assert.ok(unit.isInstance({ ...facts, argv: ['dockerd', '--config-file', places.configFile] }));
  assert.equal(unit.isInstance({ ...facts, argv: ['dockerd', '-H', 'fd://'] }), false);
});

test('a shim that a signal had stopped is told to go on, and a containerd that dockerd replaced is told of', async () => {
  const rig = new DockerdRig();
  const shim = (container: string, address: string) =>
    rig.processes.add({
      argv: ['/parts/docker/containerd-shim-runc-v2', '-id', container, '-address', address],
    });
  const ours = shim('0123456789abcdef', '/run/docker/containerd/containerd.sock');
  const strange = shim('fedcba9876543210', '/run/containerd/containerd.sock');
  const well = shim('aaaa', '/run/docker/containerd/containerd.sock');
  for (const one of [ours, strange]) one.state = 'stopped';
  const pidFile = '/run/docker/containerd/containerd.pid';
  rig.disk.files.set(pidFile, `${rig.processes.add({ argv: ['/parts/docker/containerd'] }).pid}`);
  await rig.unit.probe('deep', never);
  assert.deepEqual(
    [ours, strange, well].map(({ signals }) => signals.length),
    [1, 0, 0],
  );
  assert.deepEqual(rig.events(), ['dockerd.shims-resumed']);
  rig.disk.files.set(pidFile, `${rig.processes.add({ argv: ['/parts/docker/containerd'] }).pid}`);
  await rig.unit.probe('deep', never);
  await rig.unit.probe('deep', never);
  assert.deepEqual(rig.events().slice(1), ['dockerd.runtime-replaced']);
});

test('before the power goes, running containers are stopped', async () => {
  const rig = new DockerdRig();
  rig.docker.containers = ['0123456789abcdef', 'fedcba9876543210'];
  await rig.unit.beforeShutdown(5_000, never);
  assert.deepEqual(rig.docker.calls.slice(1), [
    'POST /containers/0123456789abcdef/stop?t=4',
    'POST /containers/fedcba9876543210/stop?t=4',
  ]);
});

test('a hung dockerd is asked for its stacks, and only the newest dump is kept', async () => {
  const rig = new DockerdRig();
  const process = rig.processes.add({ argv: ['/parts/docker/dockerd'] });
  rig.disk.files.set('/run/docker/goroutine-stacks-1.log', 'old');
  const identity = {
    pid: process.pid,
    startTicks: process.startTicks,
    bootId: 'boot-1',
    exe: '/parts/docker/dockerd',
  };
  const evidence = rig.unit.gatherEvidence(identity, never);
  await rig.clock.advance(50);
  assert.deepEqual(process.signals, ['SIGUSR1']);
  rig.disk.files.set('/run/docker/goroutine-stacks-2.log', 'new');
  await rig.clock.advance(200);
  assert.deepEqual(await evidence, ['stacks in /run/docker/goroutine-stacks-2.log']);
  assert.deepEqual(await rig.disk.list('/run/docker'), ['goroutine-stacks-2.log']);
});

test('a dockerd that answers is not killed for a wrong driver, however long its start takes', async () => {
  const rig = new DockerdRig();
  rig.docker.info = { Driver: 'vfs', CgroupDriver: 'cgroupfs' };
  const { clock, processes } = rig;
  const supervisor = rig.supervisor();
  await supervisor.start(never);
  await clock.advance(2 * settings['dockerd.startMs']);
  assert.equal(supervisor.status()[0]?.reason, 'WrongStorageDriver');
  assert.deepEqual(processes.living[0]?.signals, []);
  await supervisor.stop();
});

test('a hanging containerd is resumed or ended after a while, and dockerd is left alone', async () => {
  for (const state of ['stopped', 'running'] as const) {
    const rig = new DockerdRig();
    const containerd = rig.processes.add({ argv: ['/parts/docker/containerd'] });
    const { clock, processes } = rig;
    const supervisor = rig.supervisor();
    await supervisor.start(never);
    await clock.advance(1_000);
    rig.disk.files.set('/run/docker/containerd/containerd.pid', `${containerd.pid}`);
    containerd.state = state;
    rig.docker.mood = 'runtime-hung';
    await clock.advance(95_000);
    assert.deepEqual(containerd.signals, [state === 'stopped' ? 'SIGCONT' : 'SIGKILL']);
    assert.equal(supervisor.status()[0]?.reason, 'RuntimeHung');
    assert.ok(rig.events().includes('unit.aided'));
    assert.deepEqual(processes.living.find(({ spec }) => spec.argv[0].endsWith('/dockerd'))?.signals, []);
    rig.docker.mood = 'up';
    await clock.advance(5_000);
    assert.equal(supervisor.status()[0]?.phase, 'ready');
    await supervisor.stop();
  }
});
