import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PowerCut } from '../fakes/fake-part-disk.ts';
import { home, UpdateWorld } from '../fakes/update-world.ts';

/** A board whose dockerd was updated once already, so that there is something to keep and something to collect. */
async function updatedBoard(): Promise<UpdateWorld> {
  const world = new UpdateWorld();
  await world.begin();
  assert.equal((await world.update(world.hand('23.0.1'))).ok, true);
  assert.equal((await world.update(world.hand('24.0.2'))).ok, true);
  return world;
}

/** The same board in front of a change, with the power about to go after some steps. */
async function cutAfter(
  steps: number,
  change: (world: UpdateWorld) => Promise<unknown>,
): Promise<UpdateWorld> {
  const world = await updatedBoard();
  world.disk.stepsLeft = steps;
  await change(world).catch((error: unknown) => assert.ok(error instanceof PowerCut, String(error)));
  return world;
}

/** The same board with another version on trial. */
async function boardOnTrial(): Promise<UpdateWorld> {
  const world = await updatedBoard();
  const file = world.hand('25.0.3');
  const update = world.updater.update('dockerd', { file, isDryRun: false }, new AbortController().signal);
  update.catch(() => undefined);
  await world.clock.advance(500);
  return world;
}

/** Either version, whole; the record, the link and whoever runs agree; nothing else lies about. */
async function checkLaw(world: UpdateWorld, allowed: readonly string[], where: string): Promise<void> {
  const { record, found, running } = { record: world.record(), found: world.found(), running: world.running };
  assert.ok(allowed.includes(found), `${where}: ${found}`);
  assert.equal(running, found, where);
  assert.equal(record?.phase, 'settled', where);
  assert.equal(world.unit.phase, 'ready', where);
  const target = await world.disk.linkTarget(`${home}/parts/dockerd/current`);
  assert.equal(target ?? 'image', record?.current, where);
  const kept = [record?.current, record?.former].filter((slot) => slot !== undefined && slot !== 'image');
  const names = await world.disk.list(`${home}/parts/dockerd`);
  const extra = names.filter((name) => !['record', 'current', 'former', ...kept].includes(name));
  assert.deepEqual(extra, [], where);
}

const changes: Readonly<
  Record<
    string,
    { readonly act: (world: UpdateWorld) => Promise<unknown>; readonly allowed: readonly string[] }
  >
> = {
  'an update': {
    act: (world) => world.update(world.hand('25.0.3')),
    allowed: ['24.0.2 good', '25.0.3 good'],
  },
  'an update to one that does not work': {
    act: (world) => world.update(world.hand('25.0.3', 'bad')),
    allowed: ['24.0.2 good'],
  },
  'a rollback': {
    act: (world) => world.settled(world.updater.rollback('dockerd')),
    allowed: ['24.0.2 good', '23.0.1 good'],
  },
};

for (const [what, { act, allowed }] of Object.entries(changes)) {
  for (const shown of ['live', 'durable'] as const) {
    test(`a power cut after any step of ${what} leaves one that works and a record that agrees (${shown})`, async () => {
      const whole = await updatedBoard();
      const before = whole.disk.steps;
      await act(whole);
      const steps = whole.disk.steps - before;
      assert.ok(steps > 10, `only ${steps} steps`);
      for (let cut = 0; cut <= steps; cut += 1) {
        const dead = await cutAfter(cut, act);
        const next = new UpdateWorld({ disk: dead.disk.afterCut(shown), handed: dead.handed }, 'boot-2');
        await next.begin();
        const where = `cut after step ${cut} of ${steps}`;
        await next.clock.advance(30_000);
        // Leftovers of a change that never became one go with the next change at the latest.
        assert.equal((await next.update(next.hand('26.1.0'))).ok, true, where);
        await checkLaw(next, ['26.1.0 good'], where);
        const again = new UpdateWorld({ disk: dead.disk.afterCut(shown) }, 'boot-2');
        await again.begin();
        assert.ok([...allowed, '25.0.3 bad'].includes(again.found()), where);
        await again.clock.advance(30_000);
        assert.ok(allowed.includes(again.found()), `${where}: ${again.found()}`);
        assert.equal(again.running, again.found(), where);
        assert.equal(again.record()?.phase, 'settled', where);
        assert.equal(
          (await again.disk.linkTarget(`${home}/parts/dockerd/current`)) ?? 'image',
          again.record()?.current,
          where,
        );
      }
    });
  }

  test(`an agent that dies after any step of ${what} is followed by one that goes on, while dockerd runs`, async () => {
    const whole = await updatedBoard();
    const before = whole.disk.steps;
    await act(whole);
    const steps = whole.disk.steps - before;
    for (let cut = 0; cut <= steps; cut += 1) {
      const dead = await cutAfter(cut, act);
      const where = `death after step ${cut} of ${steps}`;
      const next = new UpdateWorld({
        disk: dead.disk.afterCut('live'),
        handed: dead.handed,
        units: [dead.unit],
      });
      await next.begin();
      await next.clock.advance(30_000);
      assert.ok(allowed.includes(next.found()), `${where}: ${next.found()}`);
      assert.equal(next.running, next.found(), where);
      assert.equal(next.record()?.phase, 'settled', where);
    }
  });
}

test('a board that goes down again and again during a trial takes the part back', async () => {
  const world = await boardOnTrial();
  let disk = world.disk.afterCut('durable');
  for (const boot of ['boot-2', 'boot-3']) {
    const next = new UpdateWorld({ disk }, boot);
    await next.begin();
    await next.clock.advance(500);
    assert.equal(next.running, '25.0.3 good', boot);
    disk = next.disk.afterCut('durable');
  }
  const last = new UpdateWorld({ disk }, 'boot-4');
  await last.begin();
  assert.equal(last.running, '24.0.2 good');
  assert.equal(last.record()?.rejected?.reason, 'InterruptedTooOften');
  assert.deepEqual(last.story(), ['part.taken-back']);
});

test('a part whose files were lost is not used again', async () => {
  const world = await updatedBoard();
  const disk = world.disk.afterCut('durable');
  const current = world.record()?.current ?? '';
  disk.live.set(`${home}/parts/dockerd/${current}/runc`, { kind: 'file', text: '' });
  const next = new UpdateWorld({ disk }, 'boot-2');
  await next.begin();
  assert.equal(next.running, '23.0.1 good');
  assert.equal(next.record()?.rejected?.reason, 'FilesMissing');
});

test('a record that cannot be read is set aside, and the part that is in use stays', async () => {
  const world = await updatedBoard();
  const disk = world.disk.afterCut('durable');
  disk.live.set(`${home}/parts/dockerd/record`, {
    kind: 'file',
    text: 'oh-edge-part 1\ncurrent ../../etc\nend\n',
  });
  const next = new UpdateWorld({ disk }, 'boot-2');
  await next.begin();
  assert.equal(next.running, '24.0.2 good');
  assert.deepEqual(next.story(), ['part.record-broken']);
  assert.equal((await next.settled(next.updater.rollback('dockerd'))).ok, true);
  assert.equal(next.running, '23.0.1 good');
});

test('a record that cannot be read, and files that were lost, leave the part of the image', async () => {
  const world = await updatedBoard();
  const disk = world.disk.afterCut('durable');
  disk.live.set(`${home}/parts/dockerd/record`, { kind: 'file', text: '' });
  disk.live.set(`${home}/parts/dockerd/${world.record()?.current}/dockerd`, { kind: 'file', text: 'cut' });
  const next = new UpdateWorld({ disk }, 'boot-2');
  await next.begin();
  assert.equal(next.running, '20.10.24 good');
});

test('a version whose files cannot be looked at just now is neither given up nor forgotten by the next change', async () => {
  const board = await updatedBoard();
  const next = new UpdateWorld({ disk: board.disk.afterCut('durable'), handed: board.handed }, 'boot-2');
  const before = next.record();
  const read = next.disk.read.bind(next.disk);
  next.disk.read = (path) => (path.endsWith('/part.json') ? Promise.reject(new Error('EIO')) : read(path));
  await next.begin();
  assert.deepEqual(next.record(), before);
  await assert.rejects(next.updater.rollback('dockerd'), /EIO/);
  assert.deepEqual(next.record(), before);
  next.disk.read = read;
  assert.equal((await next.settled(next.updater.rollback('dockerd'))).ok, true);
  assert.equal(next.found(), '23.0.1 good');
});

test('a change on trial goes on by itself where the disk was full at the start of the agent', async () => {
  const world = await boardOnTrial();
  const next = new UpdateWorld({ disk: world.disk.afterCut('durable') }, 'boot-2');
  const replace = next.disk.replace.bind(next.disk);
  next.disk.replace = () => Promise.reject(new Error('ENOSPC'));
  await next.begin();
  await assert.rejects(next.updater.rollback('dockerd'), /ENOSPC/);
  await next.clock.advance(30_000);
  next.disk.replace = replace;
  await next.clock.advance(15_000);
  assert.equal(next.record()?.phase, 'settled');
  assert.equal(next.running, '25.0.3 good');
  assert.deepEqual(next.story(), ['part.confirmed']);
});

test('what a power cut left of the first update of all is taken away', async () => {
  for (const steps of [3, 5, 8, 11]) {
    const world = new UpdateWorld();
    await world.begin();
    world.disk.stepsLeft = steps;
    await world.update(world.hand('25.0.3')).catch(() => undefined);
    const next = new UpdateWorld({ disk: world.disk.afterCut('live') }, 'boot-2');
    await next.begin();
    assert.equal(next.record(), undefined, `${steps} steps`);
    assert.deepEqual(await next.disk.list(`${home}/parts/dockerd`), [], `${steps} steps`);
  }
});
