import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeRecord, NodeRecords } from '../../agent/edge/node-record.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';

const record: NodeRecord = {
  node: 'board-1',
  cloud: { host: 'cloud', hubPort: 10_000, enrolPort: 10_002 },
  labels: { site: 'roof' },
  taints: [{ key: 'edge', effect: 'NoSchedule' }],
  runtime: { kind: 'docker', endpoint: 'unix:///run/docker.sock' },
  cgroupDriver: 'cgroupfs',
  pauseImage: undefined,
  mqtt: { mode: 'internal', externalUrl: '' },
  hasEdgeStream: false,
  hasMetaServer: false,
  hasServiceBus: false,
  kubeedge: undefined,
  joinedAtMs: 1,
};

test('a board whose record is ruined knows its cluster by the copy, and has two whole ones again', async () => {
  const disk = new FakeDisk();
  await new NodeRecords(disk, '/state').write(record);
  for (const broken of ['', '{"version":1,"node":"boa', '\0\0\0\0', '{"version":2}']) {
    await disk.replace('/state/node.json', broken);
    assert.deepEqual(await new NodeRecords(disk, '/state').read(), record, broken);
    await disk.replace('/state/node.copy.json', broken);
    assert.deepEqual(await new NodeRecords(disk, '/state').read(), record, `copy: ${broken}`);
    await new NodeRecords(disk, '/state').write(record);
  }
});

test('a board whose record is gone or cannot be read knows its cluster by the copy', async () => {
  const disk = new FakeDisk();
  await new NodeRecords(disk, '/state').write(record);
  await disk.remove('/state/node.json');
  assert.deepEqual(await new NodeRecords(disk, '/state').read(), record, 'gone, as fsck leaves it');
  assert.ok(disk.files.has('/state/node.json'), 'there are two again');
  disk.refuseReading('/state/node.json', 'EIO');
  assert.deepEqual(await new NodeRecords(disk, '/state').read(), record, 'a block that is lost');
  disk.fail('EROFS');
  assert.deepEqual(await new NodeRecords(disk, '/state').read(), record, 'on a disk that takes nothing');
});

test('where neither copy can be read nobody says that the board has joined nothing', async () => {
  const disk = new FakeDisk();
  await new NodeRecords(disk, '/state').write(record);
  for (const name of ['node.json', 'node.copy.json']) disk.refuseReading(`/state/${name}`, 'EMFILE');
  await assert.rejects(new NodeRecords(disk, '/state').read(), /EMFILE/);
  assert.equal(disk.files.size, 2, 'and nothing is moved away for it');
});

test('where one is gone and the other cannot be read just now, nobody says so either', async () => {
  const disk = new FakeDisk();
  await new NodeRecords(disk, '/state').write(record);
  await disk.remove('/state/node.json');
  disk.refuseReading('/state/node.copy.json', 'ENOMEM');
  const records = new NodeRecords(disk, '/state');
  await assert.rejects(records.read(), /ENOMEM/);
  disk.allowReading('/state/node.copy.json');
  assert.deepEqual(await records.read(), record);
});

test('two ruined records are no record, and the first is kept for a look', async () => {
  const disk = new FakeDisk();
  await disk.replace('/state/node.json', 'x');
  await disk.replace('/state/node.copy.json', 'y');
  assert.equal(await new NodeRecords(disk, '/state').read(), undefined);
  assert.ok((await disk.list('/state')).some((name) => name.startsWith('node.json.broken')));
});

test('a board that left has no copy that could bring its cluster back', async () => {
  const disk = new FakeDisk();
  const records = new NodeRecords(disk, '/state');
  await records.write(record);
  await records.remove();
  assert.deepEqual(await disk.list('/state'), []);
  assert.equal(await new NodeRecords(disk, '/state').read(), undefined);
});
