import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFault } from '../../agent/core/unit-spec.ts';
import { DockerdRig } from './dockerd-rig.ts';

const never = new AbortController().signal;
const pidFile = '/run/docker.pid';
const containerdPid = '/run/docker/containerd/containerd.pid';

test('pid files that name nobody, a stranger or a zombie are removed', async () => {
  for (const kind of ['nobody', 'stranger', 'zombie', 'nonsense'] as const) {
    const rig = new DockerdRig();
    const stranger = rig.processes.add({
      argv: [kind === 'zombie' ? '/parts/docker/containerd' : '/bin/sh'],
    });
    if (kind === 'zombie') stranger.state = 'zombie';
    const text = {
      nobody: '99999',
      stranger: String(stranger.pid),
      zombie: String(stranger.pid),
      nonsense: '\0\0',
    }[kind];
    rig.disk.files.set(pidFile, text);
    rig.disk.files.set(containerdPid, text);
    const outcome = await rig.unit.prepare(never);
    assert.ok(!isFault(outcome), kind);
    assert.equal(rig.disk.files.has(pidFile), false, kind);
    assert.equal(rig.disk.files.has(containerdPid), false, kind);
    assert.deepEqual(rig.processes.all[0]?.signals, [], kind);
  }
});

test('a living dockerd that is not ours is never touched', async () => {
  const rig = new DockerdRig();
  const other = rig.processes.add({ argv: ['/usr/bin/dockerd'] });
  rig.disk.files.set(pidFile, `${other.pid}\n`);
  const outcome = await rig.unit.prepare(never);
  assert.ok(isFault(outcome));
  assert.equal(outcome.reason, 'AnotherDockerd');
  assert.deepEqual(other.signals, []);
  assert.ok(rig.disk.files.has(pidFile));
});

test('an old containerd that is leaving is waited for, not killed', async () => {
  const rig = new DockerdRig();
  const old = rig.processes.add({ argv: ['/parts/docker/containerd'] });
  rig.disk.files.set(containerdPid, String(old.pid));
  const preparing = rig.unit.prepare(never);
  await rig.clock.advance(3_000);
  rig.processes.end(old.pid, { how: 'exited', code: 0 });
  await rig.clock.advance(100);
  assert.ok(!isFault(await preparing));
  assert.deepEqual(old.signals, []);
});

test('an old containerd that does not leave is killed; one that even then stays is told', async () => {
  const rig = new DockerdRig();
  const old = rig.processes.add({ argv: ['/parts/docker/containerd'] });
  rig.disk.files.set(containerdPid, String(old.pid));
  const preparing = rig.unit.prepare(never);
  await rig.clock.advance(11_000);
  assert.ok(!isFault(await preparing));
  assert.deepEqual(old.signals, ['SIGKILL']);
  const worse = new DockerdRig();
  const stuck = worse.processes.add({ argv: ['/parts/docker/containerd'] });
  stuck.isStuck = true;
  worse.disk.files.set(containerdPid, String(stuck.pid));
  const held = worse.unit.prepare(never);
  await worse.clock.advance(16_000);
  const outcome = await held;
  assert.ok(isFault(outcome));
  assert.equal(outcome.reason, 'OldContainerdStuck');
});

test('a dead containerd socket is removed, a living one stays', async () => {
  const rig = new DockerdRig();
  const dead = '/run/containerd/containerd.sock';
  const living = '/run/docker/containerd/containerd.sock';
  for (const [path, state] of [
    [dead, 'dead'],
    [living, 'listening'],
  ] as const) {
    rig.disk.files.set(path, '');
    rig.sockets.states.set(path, state);
  }
  assert.ok(!isFault(await rig.unit.prepare(never)));
  assert.deepEqual([rig.disk.files.has(dead), rig.disk.files.has(living)], [false, true]);
  assert.ok(rig.events().includes('dockerd.leftovers-removed'));
});

test('whatever a pid file holds, dockerd is started and nobody is killed for it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (text) => {
      const rig = new DockerdRig();
      const stranger = rig.processes.add({ argv: ['/bin/important'] });
      rig.disk.files.set(pidFile, text);
      rig.disk.files.set(containerdPid, text);
      assert.ok(!isFault(await rig.unit.prepare(never)));
      assert.deepEqual(stranger.signals, []);
    }),
  );
});

test('preparation can be interrupted while it waits', async () => {
  const rig = new DockerdRig();
  const old = rig.processes.add({ argv: ['/parts/docker/containerd'] });
  rig.disk.files.set(containerdPid, String(old.pid));
  const abort = new AbortController();
  const preparing = rig.unit.prepare(abort.signal);
  await rig.clock.advance(100);
  abort.abort();
  await assert.rejects(preparing, { name: 'AbortError' });
});
