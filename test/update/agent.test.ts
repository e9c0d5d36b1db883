import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakePartDisk } from '../fakes/fake-part-disk.ts';
import { home, UpdateWorld } from '../fakes/update-world.ts';

const never = new AbortController().signal;
const starts = `${home}/parts/agent/starts`;

/** One life of the agent, started by the start script from a slot. Its dockerd is ready unless told otherwise. */
async function life(
  disk: FakePartDisk | undefined,
  slot: string,
  docker: 'true' | 'false' = 'true',
): Promise<UpdateWorld> {
  const world = new UpdateWorld(disk === undefined ? {} : { disk }, 'boot-1', slot);
  if (disk === undefined) await world.disk.replace('/system/agent.js', "the image's");
  const facts = { reason: 'Told', message: docker === 'true' ? '' : 'dockerd does not start' };
  world.board.set('DockerReady', docker, facts);
  world.board.set('CloudConnected', 'false', facts);
  world.board.set('NetworkReady', 'true', facts);
  world.board.set('FlashHealthy', 'true', facts);
  await world.begin();
  return world;
}

/** A board on which an update of the agent was ordered; the agent that took the order is about to leave. */
async function ordered(): Promise<UpdateWorld> {
  const world = await life(undefined, 'image');
  world.handed.set('/data/agent.tgz', { 'agent.js': '0.2.0 new', 'agentctl.js': '0.2.0 new' });
  const document = await world.update('/data/agent.tgz', {}, 'agent');
  assert.equal(document.phase, 'switching');
  assert.equal(document.outcome.reason, 'Restarting');
  assert.equal(world.farewells, 0, 'the answer goes out first');
  await world.clock.advance(1_000);
  assert.equal(world.farewells, 1);
  return world;
}

test('a new agent that brings back what was good before stays', async () => {
  const before = await ordered();
  const slot = before.record('agent')?.current ?? '';
  assert.match(slot, /^0\.2\.0-/);
  assert.deepEqual(before.record('agent')?.goal, ['DockerReady'], 'the cloud was away before, too');
  const disk = before.disk.afterCut('durable');
  disk.write(starts, '1');
  const next = await life(disk, slot);
  assert.equal(next.record('agent')?.phase, 'watching');
  await next.clock.advance(3_000);
  assert.equal(next.record('agent')?.phase, 'settled');
  assert.equal(next.farewells, 0);
  assert.equal(disk.text(starts), undefined, 'the next update gets its own two starts');
});

test('a new agent that does not bring back what was good before makes room for the one before', async () => {
  const before = await ordered();
  const slot = before.record('agent')?.current ?? '';
  const next = await life(before.disk.afterCut('durable'), slot, 'false');
  await next.clock.advance(25_000);
  assert.equal(next.farewells, 1);
  assert.equal(next.record('agent')?.current, 'image');
  const last = await life(next.disk.afterCut('durable'), 'image');
  assert.equal(last.record('agent')?.phase, 'settled');
  assert.match(last.record('agent')?.rejected?.message ?? '', /DockerReady Told: dockerd does not start/);
  const { parts } = await last.updater.list();
  assert.equal(parts.find(({ part }) => part === 'agent')?.rejected?.reason, 'NotReadyInTime');
  assert.deepEqual(await last.disk.list(`${home}/parts/agent`), ['record'], 'what was taken back is gone');
});

test('an agent that the start script gave up is told as taken back by the one before', async () => {
  const before = await ordered();
  const disk = before.disk.afterCut('durable');
  disk.write(starts, '2');
  const last = await life(disk, 'image');
  assert.equal(last.record('agent')?.phase, 'settled');
  assert.equal(last.record('agent')?.current, 'image');
  assert.equal(last.record('agent')?.rejected?.reason, 'NeverConfirmed');
  assert.deepEqual(last.story(), ['part.taken-back']);
  assert.equal(disk.text(starts), undefined);
});

test('an image that brings another agent wins, and the one before can be gone back to', async () => {
  const before = await ordered();
  const slot = before.record('agent')?.current ?? '';
  const next = await life(before.disk.afterCut('durable'), slot);
  await next.clock.advance(3_000);
  const disk = next.disk.afterCut('durable');
  disk.write('/system/agent.js', "the image's newer one");
  const last = await life(disk, 'image');
  assert.equal(last.record('agent')?.current, 'image');
  assert.equal(last.record('agent')?.former, slot);
  assert.match(
    String(last.board.eventsAfter(0).find(({ event }) => event === 'part.taken-back')?.fields['reason']),
    /Superseded/,
  );
  const rollback = await last.settled(last.updater.rollback('agent'));
  assert.equal(rollback.to.slot, slot);
  assert.equal(last.record('agent')?.base, await disk.sumOf('/system/agent.js'));
});

test('a trial of the agent can be taken back by hand', async () => {
  const before = await ordered();
  const slot = before.record('agent')?.current ?? '';
  const next = await life(before.disk.afterCut('durable'), slot);
  await next.clock.advance(500);
  const document = await next.settled(next.updater.rollback('agent'));
  assert.equal(document.outcome.reason, 'ByHand');
  assert.equal(next.farewells, 1);
  assert.equal(next.record('agent')?.current, 'image');
});

test('an agent that was started by hand leaves the record alone', async () => {
  const before = await ordered();
  const world = new UpdateWorld({ disk: before.disk.afterCut('durable') }, 'boot-1');
  await world.begin();
  await world.clock.advance(60_000);
  assert.equal(world.record('agent')?.phase, 'switching');
  await assert.rejects(
    world.updater.update('agent', { file: '/x', isDryRun: false }, never),
    /PART_REFUSED|launch\.sh/,
  );
});
