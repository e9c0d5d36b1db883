import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigKeeper } from '../../agent/edge/config-keeper.ts';
import { edgePlaces } from '../../agent/edge/edge-places.ts';
import type { EdgecoreProgram } from '../../agent/edge/release-finder.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { defaultsText, parsed, release, settings } from './samples.ts';

const places = edgePlaces({
  home: '/data',
  product: '/product',
  busybox: '/busybox',
  dockerBinDir: '/docker',
});
const records = ['edgecore.base.json', 'edgecore.good.yaml'].map((name) => `${places.stateDir}/${name}`);

/** A board whose operator changed the heartbeat after edgecore.yaml was written. */
async function board() {
  const disk = new FakeDisk();
  const chosen = release('v1.22.1');
  const program: EdgecoreProgram = {
    ok: true,
    path: '/edgecore',
    release: chosen,
    defaults: parsed(defaultsText(chosen.minor)),
  };
  const update = (keeper = new ConfigKeeper(disk, places)) => keeper.update(program, settings, undefined);
  await update();
  const edited = disk.files.get(places.configFile)?.replace('heartbeat: 15', 'heartbeat: 7') ?? '';
  assert.match(edited, /heartbeat: 7/);
  disk.files.set(places.configFile, edited);
  await update();
  return { disk, update };
}

for (const errno of ['EIO', 'EACCES', 'EMFILE']) {
  test(`a record of edgecore.yaml that cannot be read (${errno}) is not written over, and read again`, async () => {
    for (const file of records) {
      const { disk, update } = await board();
      const before = new Map(disk.files);
      disk.refuseReading(file, errno);
      await assert.rejects(update(), { code: 'FILE_FAILED' });
      assert.deepEqual(disk.files, before);
      disk.allowReading(file);
      assert.equal((await update()).isChanged, false);
      assert.deepEqual(disk.files, before);
    }
  });
}

test('a broken edgecore.yaml stays where it is until the good one that replaces it can be read', async () => {
  const { disk, update } = await board();
  const whole = disk.files.get(places.configFile);
  disk.files.set(places.configFile, 'modules: [');
  disk.refuseReading(`${places.stateDir}/edgecore.good.yaml`, 'EMFILE');
  await assert.rejects(update(), { code: 'FILE_FAILED' });
  assert.equal(disk.files.get(places.configFile), 'modules: [');
  disk.allowReading(`${places.stateDir}/edgecore.good.yaml`);
  assert.notEqual((await update()).recovered, undefined);
  assert.equal(disk.files.get(places.configFile), whole);
});

test('a board does not wait for ever for a record that is lost, and keeps what there is of it', async () => {
  for (const file of records) {
    const { disk, update } = await board();
    const config = disk.files.get(places.configFile);
    const lost = disk.files.get(file);
    disk.refuseReading(file, 'EIO');
    const keeper = new ConfigKeeper(disk, places);
    let tries = 1;
    while (!(await update(keeper).then(Boolean, () => false))) tries += 1;
    assert.ok(tries > 3 && tries < 10, `${tries} tries`);
    assert.equal(disk.files.get(`${file}.broken-1`), lost);
    assert.equal(disk.files.get(places.configFile), config);
  }
});

test('a start that changes nothing reads each file once and writes none', async () => {
  const { disk, update } = await board();
  const reads: string[] = [];
  const read = disk.read.bind(disk);
  disk.read = (path) => {
    reads.push(path);
    return read(path);
  };
  const written = disk.writtenBytes;
  await update();
  assert.deepEqual(reads.sort(), [...records, places.configFile].sort());
  assert.equal(disk.writtenBytes, written);
});
