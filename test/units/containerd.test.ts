import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFault } from '../../agent/core/unit-spec.ts';
import { ContainerdUnit, containerdConfig, containerdSocket } from '../../agent/units/containerd.ts';
import { DockerdUnit } from '../../agent/units/dockerd.ts';
import { daemonConfig } from '../../agent/units/dockerd-config.ts';
import { startOrder } from '../../agent/units/unit-graph.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';
import { DockerdRig, places, settings } from './dockerd-rig.ts';

const never = new AbortController().signal;
const socket = containerdSocket('/run');
const ctr = `/parts/docker/ctr --address ${socket} namespaces list --quiet`;

/** A containerd unit on the machine of a dockerd unit. */
function rigged(forgot = (): void => undefined): { readonly rig: DockerdRig; readonly unit: ContainerdUnit } {
  const rig = new DockerdRig();
  for (const name of ['containerd-shim-runc-v2', 'ctr']) rig.programs.put(`/parts/docker/${name}`);
  const unit = new ContainerdUnit(
    {
      settings: { ...settings, 'containerd.enabled': true, 'containerd.root': '/data/agent/containerd' },
      runDir: '/run',
      home: '/data/agent',
      restart: fakePolicy.restart,
      env: () => ({ PATH: '/parts/docker:/system/bin' }),
      isInRootGroups: true,
      forgot,
    },
    { ...rig, files: rig.disk },
  );
  return { rig, unit };
}

test('containerd is started with the configuration that the agent makes, and a dead socket is taken away', async () => {
  const { rig, unit } = rigged();
  rig.sockets.states.set(socket, 'dead');
  rig.disk.files.set(socket, '');
  const command = await unit.prepare(never);
  assert.ok(!isFault(command), JSON.stringify(command));
  const file = '/data/agent/state/containerd/config.toml';
  assert.deepEqual(command.argv, ['/parts/docker/containerd', '--config', file]);
  assert.equal(rig.disk.files.get(file), containerdConfig('/data/agent/containerd', '/run'));
  assert.equal(rig.disk.files.has(socket), false);
  assert.ok(unit.isInstance({ argv: command.argv } as never));
});

test('a missing shim is a permanent fault that names the file', async () => {
  const { rig, unit } = rigged();
  rig.programs.put('/parts/docker/containerd-shim-runc-v2', { isExecutable: false });
  const fault = await unit.prepare(never);
  assert.deepEqual(isFault(fault) && [fault.reason, fault.isPermanent], ['NotExecutable', true]);
});

test('it is ready when it lists its namespaces, silent without a listener, unready when its metadata is gone', async () => {
  const { rig, unit } = rigged();
  assert.equal((await unit.probe('cheap')).verdict, 'silent');
  rig.sockets.states.set(socket, 'listening');
  rig.commands.outputs.set(ctr, 'moby\n');
  assert.equal((await unit.probe('cheap')).verdict, 'alive');
  assert.equal((await unit.probe('start')).verdict, 'ready');
  rig.commands.outputs.delete(ctr);
  const health = await unit.probe('deep');
  assert.ok(health.verdict === 'unready' || health.verdict === 'silent');
});

test('a containerd that lists its namespaces over its socket costs no program', async () => {
  const { rig, unit } = rigged();
  rig.sockets.states.set(socket, 'listening');
  rig.containerd.listing.add(socket);
  assert.deepEqual([await unit.probe('deep'), rig.commands.calls], [{ verdict: 'ready' }, []]);
});

test('dockerd with a containerd unit needs it and is told its socket', () => {
  const config = daemonConfig(settings, places, { major: 20, dns: [], containerd: socket });
  assert.equal((JSON.parse(config.text) as { containerd: string }).containerd, socket);
  assert.equal(config.containerd, socket);
  const { rig, unit } = rigged();
  const options = {
    settings,
    places,
    restart: fakePolicy.restart,
    env: () => ({}),
    dns: () => [],
    isInRootGroups: true,
    isCriWanted: () => false,
  };
  const dockerd = new DockerdUnit({ ...options, containerd: socket }, { ...rig, files: rig.disk });
  assert.deepEqual(startOrder([dockerd, unit]), ['containerd', 'dockerd']);
});

test('a containerd without its metadata is ended once and starts without the file, and who needs it starts anew', async () => {
  let forgotten = 0;
  const { rig, unit } = rigged(() => {
    forgotten += 1;
  });
  const file = '/data/agent/containerd/io.containerd.metadata.v1.bolt/meta.db';
  const shim = '/parts/docker/containerd-shim-runc-v2';
  rig.sockets.states.set(socket, 'listening');
  rig.commands.complaints.set(
    ctr,
    'ctr: unknown service containerd.services.namespaces.v1.Namespaces: not implemented\n',
  );
  const orphan = rig.processes.add({ argv: [shim, '-namespace', 'moby', '-id', 'abc', '-address', socket] });
  const suffer = async (): Promise<readonly [number, number]> => {
    rig.disk.files.set(file, 'ZZZZ');
    const { pid, startTicks } = rig.processes.add({ argv: ['/parts/docker/containerd'] });
    const health = await unit.probe('start');
    assert.ok(health.verdict === 'unready' && health.reason === 'StateCorrupt', JSON.stringify(health));
    const target = { pid, startTicks, bootId: 'boot-1', exe: '/parts/docker/containerd' };
    const done = await unit.aid(health, target);
    await unit.prepare(never);
    const { signals } = rig.processes.all.find((one) => one.pid === pid) ?? { signals: [] };
    return [done.length, signals.length];
  };
  assert.deepEqual(await suffer(), [1, 1]);
  assert.deepEqual([rig.disk.files.has(file), rig.disk.files.has(`${file}.broken-1`)], [false, true]);
  assert.deepEqual([forgotten, orphan.state], [1, 'gone']);
  assert.ok(rig.events().includes('containerd.repaired'));
  // It did not help: nothing is tried again, so nothing is ended either.
  assert.deepEqual(await suffer(), [0, 0]);
  assert.deepEqual([forgotten, rig.disk.files.has(file)], [1, true]);
});

test('only a panic about the metadata itself sets it aside', async () => {
  const { rig, unit } = rigged();
  const file = '/data/agent/containerd/io.containerd.metadata.v1.bolt/meta.db';
  rig.disk.files.set(file, 'x');
  const exited = { how: 'exited', code: 2 } as const;
  const panic = 'panic: invalid page type: 0: 4';
  unit.explain(exited, [panic, 'github.com/containerd/containerd/snapshots/storage.(*MetaStore)']);
  await unit.prepare(never);
  assert.ok(rig.disk.files.has(file));
  unit.explain(exited, [panic, 'github.com/containerd/containerd/metadata.(*DB).Init']);
  await unit.prepare(never);
  assert.equal(rig.disk.files.has(file), false);
});
