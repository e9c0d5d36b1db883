import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { daemonConfig } from '../../agent/units/dockerd-config.ts';
import { findCorruption } from '../../agent/units/dockerd-repair.ts';
import { DockerdRig, places, settings } from './dockerd-rig.ts';

const never = new AbortController().signal;
const exited = { how: 'exited', code: 1 } as const;
const config = daemonConfig(settings, places, { major: 20, dns: [] });
const tags = '/data/docker/image/overlay2/repositories.json';
const tagsLine = "failed to start daemon: Couldn't create reference store repository: EOF";

/** Last words seen with 20.10.24 or told upstream, and the file behind them. */
const symptoms: readonly (readonly [string, readonly string[], string])[] = [
  ['image-names', [tagsLine], tags],
  [
    'networks',
    [
      'failed to start daemon: Error initializing network controller: error obtaining controller instance: ' +
        'failed to get bridge network configurations from store: error while populating kmap: invalid database',
    ],
    '/data/docker/network/files/local-kv.db',
  ],
  [
    'networks',
    [
      'panic: assertion failed: write: circular dependency',
      'goroutine 1 [running]:',
      'github.com/docker/libkv/store/boltdb.(*BoltDB).Put(0x1)',
    ],
    '/data/docker/network/files/local-kv.db',
  ],
  [
    'volumes',
    ['failed to start daemon: error while opening volume store metadata database: invalid database'],
    '/data/docker/volumes/metadata.db',
  ],
  [
    'containerd-metadata',
    ['unknown service containerd.services.namespaces.v1.Namespaces: not implemented'],
    '/data/docker/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db',
  ],
  [
    'build-cache',
    ['failed to open database file /data/docker/buildkit/cache.db: invalid database'],
    '/data/docker/buildkit',
  ],
];

test('each known corruption is recognised by its own words and blamed on its own file', () => {
  for (const [name, lines, path] of symptoms) {
    const found = findCorruption(['starting up', ...lines, 'bye'], config);
    assert.deepEqual({ name: found?.name, path: found?.path }, { name, path });
  }
});

test('other last words blame nothing', () => {
  const lines = [
    'panic: assertion failed: write: circular dependency',
    "failed to start daemon: Devices cgroup isn't mounted",
    'unexpected EOF',
  ];
  assert.equal(findCorruption(lines, config), undefined);
});

test('a ruined file is set aside before the next start, reported and counted', async () => {
  const rig = new DockerdRig();
  rig.disk.files.set(tags, '');
  const fault = rig.unit.explain(exited, [tagsLine]);
  assert.deepEqual(
    { reason: fault.reason, isPermanent: fault.isPermanent },
    {
      reason: 'StateCorrupt',
      isPermanent: false,
    },
  );
  await rig.unit.prepare(never);
  assert.equal(rig.disk.files.has(tags), false);
  assert.equal(rig.disk.files.get(`${tags}.broken-1`), '');
  const event = rig.board.eventsAfter(0).find((entry) => entry.event === 'dockerd.repaired');
  assert.deepEqual(event?.fields, {
    name: 'image-names',
    path: tags,
    aside: `${tags}.broken-1`,
    lost: 'names (tags) of images; their layers stay',
  });
});

test('a repair that did not help is not tried again, by a new agent neither', async () => {
  const rig = new DockerdRig();
  rig.disk.files.set(tags, '');
  rig.unit.explain(exited, [tagsLine]);
  await rig.unit.prepare(never);
  rig.disk.files.set(tags, 'made again and ruined again');
  rig.unit.explain(exited, [tagsLine]);
  await rig.unit.prepare(never);
  assert.ok(rig.disk.files.has(tags));
  assert.ok(rig.events().includes('dockerd.repair-refused'));
  const next = new DockerdRig();
  for (const [path, text] of rig.disk.files) next.disk.files.set(path, text);
  next.unit.explain(exited, [tagsLine]);
  await next.unit.prepare(never);
  assert.ok(next.disk.files.has(tags));
});

test('after it was ready the same file may be set aside again, three times a day at most', async () => {
  const rig = new DockerdRig();
  let repaired = 0;
  for (let round = 0; round < 6; round += 1) {
    rig.disk.files.set(tags, '');
    rig.unit.explain(exited, [tagsLine]);
    await rig.unit.prepare(never);
    if (!rig.disk.files.has(tags)) repaired += 1;
    assert.equal((await rig.unit.probe('start', never)).verdict, 'ready');
  }
  assert.equal(repaired, 3);
  await rig.clock.advance(86_400_001);
  rig.unit.explain(exited, [tagsLine]);
  await rig.unit.prepare(never);
  assert.equal(rig.disk.files.has(tags), false);
});

test('a clock that was set back does not open the gate', async () => {
  const rig = new DockerdRig();
  rig.disk.files.set(tags, '');
  rig.unit.explain(exited, [tagsLine]);
  await rig.unit.prepare(never);
  rig.clock.setWall(0);
  rig.disk.files.set(tags, '');
  rig.unit.explain(exited, [tagsLine]);
  await rig.unit.prepare(never);
  assert.ok(rig.disk.files.has(tags));
});

test('whatever the record of repairs holds, dockerd is started', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
      const rig = new DockerdRig();
      rig.disk.files.set('/data/agent/state/dockerd-repairs.json', text);
      rig.disk.files.set(tags, '');
      rig.unit.explain(exited, [tagsLine]);
      const outcome = await rig.unit.prepare(never);
      assert.ok('argv' in outcome);
      assert.equal((await rig.unit.probe('start', never)).verdict, 'ready');
    }),
  );
});

const database = '/data/docker/network/files/local-kv.db';

/** Puts a container with its shim on the machine of the rig. */
function runContainer(
  { processes }: DockerdRig,
  { namespace = 'moby', address = '/run/docker/containerd/containerd.sock', id = '0123456789abcdef' } = {},
): readonly number[] {
  const program = '/parts/docker/containerd-shim-runc-v2';
  const argv = [program, '-namespace', namespace, '-id', id, '-address', address] as const;
  const shim = processes.add({ argv });
  const contained = Object.assign(processes.add({ argv: ['/bin/sleep'] }), { parentPid: shim.pid });
  return [shim.pid, contained.pid];
}

const living = ({ processes }: DockerdRig): readonly number[] => processes.living.map(({ pid }) => pid);

test('containers whose containerd has lost its metadata are ended before it is set aside, others are not', async () => {
  const rig = new DockerdRig();
  const meta = '/data/docker/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db';
  runContainer(rig);
  const theirs = runContainer(rig, { address: '/run/other/containerd.sock', id: 'fedcba9876543210' });
  rig.disk.files.set(meta, 'garbage');
  rig.unit.explain(exited, ['unknown service containerd.services.namespaces.v1.Namespaces: not implemented']);
  await rig.unit.prepare(never);
  assert.deepEqual(living(rig), theirs);
  const told = rig.board.eventsAfter(0).filter(({ event }) => /orphans-ended|repaired/.test(event));
  assert.deepEqual(
    told.map(({ event }) => event),
    ['dockerd.orphans-ended', 'dockerd.repaired'],
  );
  assert.deepEqual(told[0]?.fields, { containers: ['0123456789ab'] });
});

test('where there is no metadata to set aside nobody is ended', async () => {
  const rig = new DockerdRig();
  const container = runContainer(rig);
  rig.unit.explain(exited, ['unknown service containerd.services.namespaces.v1.Namespaces: not implemented']);
  await rig.unit.prepare(never);
  assert.deepEqual(living(rig), container);
});

test('dockerd makes its networks again only where no container runs, so those of a lost database are ended', async () => {
  const rig = new DockerdRig();
  rig.disk.files.set(database, 'garbage');
  runContainer(rig);
  const pod = runContainer(rig, { namespace: 'k8s.io' });
  rig.unit.explain(exited, ['error while populating kmap: invalid database']);
  await rig.unit.prepare(never);
  assert.deepEqual(living(rig), pod);
  const event = rig.board.eventsAfter(0).find((entry) => entry.event === 'dockerd.networkless-ended');
  assert.deepEqual(event?.fields, { containers: ['0123456789ab'] });
});

const lostNetworks: readonly (readonly [string, (rig: DockerdRig) => void])[] = [
  ['is empty', ({ disk }) => disk.files.set(database, '')],
  [
    'was set aside by hand or by an agent that was killed',
    ({ disk }) => disk.files.set(`${database}.broken-2`, 'x'),
  ],
];
for (const [how, lose] of lostNetworks) {
  test(`a database of networks that ${how} ends containers too`, async () => {
    const rig = new DockerdRig();
    lose(rig);
    runContainer(rig);
    await rig.unit.prepare(never);
    assert.deepEqual(living(rig), []);
  });
}

test('where the disk takes nothing dockerd does not start, and no container is ended for it', async () => {
  const rig = new DockerdRig();
  await rig.unit.prepare(never);
  rig.disk.files.set(database, '');
  const container = runContainer(rig);
  rig.disk.fail('EROFS');
  assert.deepEqual(Object.keys(await rig.unit.prepare(never)).includes('argv'), false);
  assert.deepEqual(living(rig), container);
});

const keptNetworks: readonly (readonly [string, (rig: DockerdRig) => void])[] = [
  ['there is a database', ({ disk }) => disk.files.set(database, 'x')],
  ['nobody can read it just now', ({ disk }) => disk.refuseReading(database, 'EIO')],
  [
    'another release keeps it in another file',
    ({ disk }) => disk.files.set('/data/docker/network/files/kv.db', ''),
  ],
  [
    'another release keeps it in another place',
    ({ disk }) => disk.files.set('/data/docker/network/store', ''),
  ],
];
for (const [why, keep] of keptNetworks) {
  test(`containers run on where ${why}`, async () => {
    const rig = new DockerdRig();
    keep(rig);
    const container = runContainer(rig);
    await rig.unit.prepare(never);
    assert.deepEqual(living(rig), container);
  });
}

const lostId = '0123456789abcdef'.repeat(4);
const keptId = 'fedcba9876543210'.repeat(4);
const recordOf = (id: string, name = 'config.v2.json'): string => `/data/docker/containers/${id}/${name}`;

test('a container whose record is ruined is ended, its record set aside, and it is told of once', async () => {
  for (const name of ['config.v2.json', 'hostconfig.json']) {
    const rig = new DockerdRig();
    rig.disk.files.set(recordOf(lostId), '{}').set(recordOf(lostId, name), '{"ID":');
    rig.disk.files.set(recordOf(keptId), '{"ID":');
    rig.docker.containers = [keptId];
    runContainer(rig, { id: lostId });
    const kept = runContainer(rig, { id: keptId });
    await rig.unit.probe('start', never);
    await rig.unit.probe('start', never);
    assert.deepEqual(living(rig), kept);
    const told = rig.board.eventsAfter(0).filter(({ event }) => event === 'dockerd.repaired');
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [
        {
          name: 'container-record',
          path: recordOf(lostId, name),
          aside: `${recordOf(lostId, name)}.broken-1`,
          lost: 'container 0123456789ab, for whoever made it to make it again',
        },
      ],
    );
  }
});

test('nothing is said of a container of another storage driver, of half a container, or where dockerd does not say what it knows', async () => {
  const rig = new DockerdRig();
  rig.disk.files.set(recordOf(lostId), '{"Driver":"vfs"}').set(recordOf(keptId, 'hostconfig.json'), '{}');
  const containers = [...runContainer(rig, { id: lostId }), ...runContainer(rig, { id: keptId })];
  await rig.unit.probe('start', never);
  rig.disk.refuseReading(recordOf(lostId), 'EIO');
  await rig.unit.probe('start', never);
  rig.disk.files.set(recordOf(lostId), '');
  rig.disk.allowReading(recordOf(lostId));
  rig.docker.containersStatus = 500;
  assert.equal((await rig.unit.probe('start', never)).verdict, 'ready');
  assert.deepEqual(living(rig), containers);
  assert.ok(!rig.events().includes('dockerd.repaired'));
});
