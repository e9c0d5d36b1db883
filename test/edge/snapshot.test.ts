import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restoreSnapshot, takeSnapshot } from '../../agent/edge/snapshot.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';

test('files come back as they were, those that were not there go', async () => {
  const disk = new FakeDisk();
  await disk.replace('/a', 'one');
  const snapshot = await takeSnapshot(disk, ['/a', '/b']);
  await disk.replace('/a', 'two');
  await disk.replace('/b', 'new');
  await restoreSnapshot(disk, snapshot);
  assert.deepEqual([...disk.files], [['/a', 'one']]);
});

test('on a full disk what can be put back is put back, and what is as it was is no failure', async () => {
  const disk = new FakeDisk();
  for (const name of ['/same', '/changed']) await disk.replace(name, 'one');
  const snapshot = await takeSnapshot(disk, ['/same', '/changed', '/new']);
  for (const name of ['/changed', '/new']) await disk.replace(name, 'two');
  disk.fail('ENOSPC');
  await assert.rejects(restoreSnapshot(disk, snapshot), /"\/changed": ENOSPC/);
  assert.deepEqual([...disk.files.keys()].sort(), ['/changed', '/same']);
});
