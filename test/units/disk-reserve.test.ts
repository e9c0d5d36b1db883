import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import { DiskReserve } from '../../agent/units/disk-reserve.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';

const mebibyte = 1_048_576;
const reserve = '/data/docker/oh-edge-agent.reserve';

/** A disk of so many bytes. */
class SmallDisk extends FakeDisk {
  sizeBytes = 100 * mebibyte;

  override async replace(path: string, text: string): Promise<void> {
    const others = [...this.files].filter(([name]) => name !== path);
    const used = others.reduce((sum, [, content]) => sum + content.length, 0);
    if (used + text.length > this.sizeBytes)
      throw new AgentError('FILE_FAILED', `Cannot write "${path}": ENOSPC`);
    await super.replace(path, text);
  }
}

function rig(): { readonly disk: SmallDisk; readonly events: string[]; readonly keeper: DiskReserve } {
  const disk = new SmallDisk();
  const events: string[] = [];
  return { disk, events, keeper: new DiskReserve({ files: disk, note: (event) => events.push(event) }) };
}

test('room is put by in good times and given up for one start when the disk is full', async () => {
  const { disk, events, keeper } = rig();
  assert.equal(await keeper.ensure('/data/docker'), undefined);
  assert.deepEqual([...disk.files.keys()], [reserve]);
  disk.sizeBytes = 4 * mebibyte;
  assert.equal(await keeper.ensure('/data/docker'), undefined);
  assert.deepEqual([...disk.files.keys()], []);
  assert.deepEqual(events, ['dockerd.reserve-used']);
});

test('dockerd is not started while nothing can be written, and is as soon as there is room', async () => {
  const { disk, events, keeper } = rig();
  disk.sizeBytes = 1_000;
  const fault = await keeper.ensure('/data/docker');
  assert.deepEqual([fault?.reason, fault?.isPermanent], ['DiskFull', false]);
  disk.sizeBytes = 2 * mebibyte;
  assert.equal(await keeper.ensure('/data/docker'), undefined);
  assert.deepEqual([events, [...disk.files.keys()]], [[], []]);
});

test('nothing is put by where that would itself fill the disk', async () => {
  const { disk, keeper } = rig();
  disk.sizeBytes = 4 * mebibyte + 1_000;
  assert.equal(await keeper.ensure('/data/docker'), undefined);
  assert.deepEqual([...disk.files.keys()], []);
});

test('what power cuts left of its own files is taken away, and nothing else', async () => {
  const { disk, keeper } = rig();
  const left = ['oh-edge-agent.reserve.new-7-3', 'oh-edge-agent.room', 'oh-edge-agent.room.new-9-1'];
  for (const name of [...left, 'volumes', 'oh-edge-agent.notes']) disk.files.set(`/data/docker/${name}`, 'x');
  assert.equal(await keeper.ensure('/data/docker'), undefined);
  assert.deepEqual([...disk.files.keys()].sort(), [
    '/data/docker/oh-edge-agent.notes',
    reserve,
    '/data/docker/volumes',
  ]);
});
