import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakeContainer } from '../fakes/fake-dockerd.ts';
import { DockerdRig } from './dockerd-rig.ts';

const never = new AbortController().signal;
const id = '0123456789abcdef'.repeat(4);
const short = id.slice(0, 12);
const containerd = '/run/docker/containerd/containerd.sock';

/** A dockerd with one container, and its looks. */
class Watched {
  readonly rig = new DockerdRig();
  readonly container: FakeContainer;

  constructor(state: 'running' | 'exited', policy = 'always', error = '') {
    const pid = state === 'running' ? this.run() : 0;
    this.container = { state, pid, error, policy };
    this.rig.docker.states.set(id, this.container);
    this.rig.containerd.listing.add(containerd);
  }

  /** First process of a container. */
  run(): number {
    return this.rig.processes.add({ argv: ['/bin/web'] }).pid;
  }

  end(pid: number): void {
    this.rig.processes.end(pid, { how: 'unknown' });
  }

  async look(afterMs = 0): Promise<void> {
    await this.rig.clock.advance(afterMs);
    assert.equal((await this.rig.unit.probe('deep', never)).verdict, 'alive');
    await this.rig.clock.advance(0);
  }

  /** What was asked of dockerd that changes something. */
  get orders(): readonly string[] {
    return this.rig.docker.calls.filter((call) => call.startsWith('POST'));
  }

  told(event: string): readonly unknown[] {
    return this.rig.board
      .eventsAfter(0)
      .filter((one) => one.event === event)
      .map(({ fields }) => fields);
  }
}

test('a container that dockerd calls running without a process is started again, once it has had time to hear of the end', async () => {
  const watched = new Watched('running');
  await watched.look();
  const { pid } = watched.container;
  watched.end(pid);
  await watched.look(1_000);
  await watched.look(19_000);
  assert.deepEqual(watched.orders, []);
  watched.rig.docker.onStart = () => void (watched.container.pid = watched.run());
  await watched.look(1_000);
  assert.deepEqual(watched.orders, [`POST /containers/${id}/restart?t=15`]);
  const why = `its process ${pid} was gone and dockerd did not know`;
  assert.deepEqual(watched.told('dockerd.container-revived'), [
    { container: short, name: 'web', reason: 'Ghost', why },
  ]);
  await watched.look(60_000);
  await watched.look(60_000);
  assert.equal(watched.orders.length, 1);
});

test('a container that nobody wants to run again is only made to be known as ended', async () => {
  const watched = new Watched('running', 'no');
  watched.end(watched.container.pid);
  await watched.look();
  await watched.look(20_000);
  assert.deepEqual(watched.orders, [`POST /containers/${id}/stop?t=15`]);
});

test('a process that got the number of a dead one does not stand for it', async () => {
  const watched = new Watched('running');
  await watched.look();
  const { pid } = watched.container;
  watched.end(pid);
  Object.assign(watched.rig.processes.add({ argv: ['/bin/other'] }), { pid });
  await watched.look(1_000);
  await watched.look(20_000);
  assert.equal(watched.orders.length, 1);
});

test('nothing is made of a container whose process dockerd does not name', async () => {
  const watched = new Watched('running');
  watched.container.pid = 0;
  await watched.look();
  await watched.look(60_000);
  assert.deepEqual(watched.orders, []);
});

test('at rest dockerd is asked for its list alone', async () => {
  const watched = new Watched('running');
  await watched.look();
  watched.rig.docker.calls.length = 0;
  await watched.look(60_000);
  assert.deepEqual(watched.rig.docker.calls, ['GET /_ping', 'GET /containers/json?all=1']);
});

test('what containerd has begun and dockerd lost is ended where it is in the way, and only there', async () => {
  for (const why of ['task 0123: already exists', 'no such network']) {
    const watched = new Watched('exited', 'always', why);
    const { rig } = watched;
    const shim = rig.processes.add({
      argv: [
        '/parts/docker/containerd-shim-runc-v2',
        '-namespace',
        'moby',
        '-id',
        id,
        '-address',
        containerd,
      ],
    });
    rig.docker.onStart = () => (shim.state === 'running' ? why : undefined);
    await watched.look();
    const isInTheWay = why.endsWith('already exists');
    assert.deepEqual(shim.signals, isInTheWay ? ['SIGKILL'] : []);
    assert.equal(watched.orders.length, isInTheWay ? 2 : 1);
    assert.equal(watched.told('dockerd.container-revived').length, isInTheWay ? 1 : 0);
  }
});

test('a ghost that dockerd does not get going again is left for pauses that double', async () => {
  const watched = new Watched('running');
  watched.end(watched.container.pid);
  watched.rig.docker.onStart = () => 'did not receive an exit event';
  for (let seconds = 0; seconds < 600; seconds += 10) await watched.look(10_000);
  assert.equal(watched.orders.length, 5);
});

test('a restart that dockerd calls done while the container stays down is followed by a start', async () => {
  const watched = new Watched('running');
  watched.end(watched.container.pid);
  let starts = 0;
  watched.rig.docker.onStart = () => {
    starts += 1;
    if (starts === 2) watched.container.pid = watched.run();
    return undefined;
  };
  watched.rig.docker.staysDown = () => starts === 1;
  await watched.look();
  await watched.look(20_000);
  assert.deepEqual(watched.orders, [`POST /containers/${id}/restart?t=15`, `POST /containers/${id}/start`]);
});

test('one container whose look fails does not hide the others', async () => {
  const watched = new Watched('running');
  const { rig } = watched;
  const others = ['a', 'b'].map((digit) => digit.repeat(64));
  rig.docker.states.clear();
  rig.docker.states.set(others[0] ?? '', { state: 'running', pid: 1, error: '', policy: 'always' });
  rig.docker.states.set(id, watched.container);
  rig.docker.hanging.add(others[0] ?? '');
  watched.end(watched.container.pid);
  await watched.look();
  await watched.look(20_000);
  assert.equal(watched.orders.length, 1);
});

test('a first process whose other threads run on, or whose end is yet to be told, is no ghost', async () => {
  const watched = new Watched('running');
  const process = watched.rig.processes.living.find(({ pid }) => pid === watched.container.pid);
  assert.ok(process !== undefined);
  Object.assign(process, { state: 'zombie', parentPid: 77 });
  await watched.look();
  await watched.look(60_000);
  assert.deepEqual(watched.orders, []);
  process.parentPid = 1;
  await watched.look(60_000);
  await watched.look(60_000);
  assert.equal(watched.orders.length, 1);
});

test('a container that was started again between two looks and got the same number is none either', async () => {
  const watched = new Watched('running');
  await watched.look();
  const { pid } = watched.container;
  watched.end(pid);
  Object.assign(watched.rig.processes.add({ argv: ['/bin/web'] }), { pid });
  watched.container.startedAt = 'later';
  await watched.look(60_000);
  await watched.look(60_000);
  assert.deepEqual(watched.orders, []);
});

test('before a shutdown nothing is begun any more, and what was begun is waited for', async () => {
  const watched = new Watched('exited', 'always', 'no such network');
  const { rig } = watched;
  let release: (() => void) | undefined;
  rig.docker.gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  await watched.look();
  let isOver = false;
  const stopping = rig.unit.beforeShutdown(30_000, never).then(() => {
    isOver = true;
  });
  await rig.clock.advance(1_000);
  assert.equal(isOver, false);
  release?.();
  await stopping;
  watched.container.state = 'exited';
  watched.container.error = 'no such network';
  await watched.look(60_000);
  assert.equal(watched.orders.filter((order) => order.endsWith('/start')).length, 1);
});

test('a restart that failed is tried again after pauses that double', async () => {
  const watched = new Watched('exited', 'unless-stopped', 'no space left on device');
  watched.rig.docker.onStart = () => 'no space left on device';
  await watched.look();
  assert.deepEqual(watched.orders, [`POST /containers/${id}/start`]);
  await watched.look(29_000);
  assert.equal(watched.orders.length, 1);
  await watched.look(1_000);
  await watched.look(59_000);
  assert.equal(watched.orders.length, 2);
  watched.rig.docker.onStart = () => void (watched.container.pid = watched.run());
  await watched.look(1_000);
  assert.equal(watched.orders.length, 3);
  const [first] = watched.told('dockerd.container-not-revived') as readonly Record<string, unknown>[];
  assert.equal(first?.['pauseMs'], 30_000);
  assert.match(String(first?.['why']), /500: .*no space left on device/);
  const revived = { container: short, name: 'web', reason: 'StartFailed', why: 'no space left on device' };
  assert.deepEqual(watched.told('dockerd.container-revived'), [revived]);
});

for (const [what, state, policy, error] of [
  ['was stopped by hand', 'exited', 'always', ''],
  ['is not to be started again', 'exited', 'no', 'no such file'],
  ['waits for its next start', 'restarting', 'always', 'no such file'],
  ['was never started', 'created', 'always', 'no such file'],
] as const) {
  test(`a container that ${what} is left alone`, async () => {
    const watched = new Watched('exited', policy, error);
    watched.container.state = state;
    await watched.look();
    await watched.look(60_000);
    assert.deepEqual(watched.orders, []);
  });
}

test('dockerd is not asked again and again for the containers that pods leave behind', async () => {
  const watched = new Watched('exited', 'no', '');
  for (let looks = 0; looks < 5; looks += 1) await watched.look(60_000);
  const asked = watched.rig.docker.calls.filter((call) => call === `GET /containers/${id}/json`);
  assert.equal(asked.length, 1);
});
