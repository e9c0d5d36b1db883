import assert from 'node:assert/strict';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { PartDisk } from '../../agent/core/part-disk.ts';
import { HostPartDisk } from '../../agent/host/part-disk.ts';
import { FakePartDisk } from '../fakes/fake-part-disk.ts';

interface Rig {
  readonly disk: PartDisk;
  readonly root: string;
  readonly write: (name: string, text: string) => Promise<void>;
  readonly read: (name: string) => Promise<string | undefined>;
}

async function realRig(t: TestContext): Promise<Rig> {
  const root = await mkdtemp(path.join(tmpdir(), 'part-disk-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return {
    disk: new HostPartDisk(),
    root,
    write: (name, text) => writeFile(path.join(root, name), text),
    read: (name) => readFile(path.join(root, name), 'utf8').catch(() => undefined),
  };
}

function fakeRig(): Promise<Rig> {
  const disk = new FakePartDisk();
  return Promise.resolve({
    disk,
    root: '/r',
    write: async (name, text) => disk.write(`/r/${name}`, text),
    read: async (name) => disk.text(`/r/${name}`),
  });
}

const rigs: Readonly<Record<string, (t: TestContext) => Promise<Rig>>> = { real: realRig, fake: fakeRig };

for (const [kind, make] of Object.entries(rigs)) {
  test(`a folder is filled, written to disk and named (${kind})`, async (t) => {
    const { disk, root, write, read } = await make(t);
    await disk.makeFolder(`${root}/parts/dockerd/.draft`);
    await disk.makeFolder(`${root}/parts/dockerd/.draft`);
    await write('parts/dockerd/.draft/dockerd', 'program');
    await disk.syncFolder(`${root}/parts/dockerd/.draft`);
    await disk.rename(`${root}/parts/dockerd/.draft`, `${root}/parts/dockerd/1.0`);
    assert.equal(await read('parts/dockerd/1.0/dockerd'), 'program');
    assert.equal(await read('parts/dockerd/.draft/dockerd'), undefined);
    assert.equal(await disk.sizeOf(`${root}/parts/dockerd/1.0/dockerd`), 7);
    assert.equal(await disk.sizeOf(`${root}/parts/dockerd/1.0`), undefined);
    assert.equal(await disk.sizeOf(`${root}/none`), undefined);
    const known = '1310ca2c8932dbd118668bd97442558a3e1f546b5e15c69699dfbd6024f548d8';
    assert.equal(await disk.sumOf(`${root}/parts/dockerd/1.0/dockerd`), known);
    assert.ok((await disk.freeBytes(`${root}/not/there/yet`)) > 0);
  });

  test(`a name that is taken is not taken over (${kind})`, async (t) => {
    const { disk, root, write, read } = await make(t);
    await disk.makeFolder(`${root}/a`);
    await disk.makeFolder(`${root}/b`);
    await write('b/kept', 'text');
    await assert.rejects(disk.rename(`${root}/a`, `${root}/b`), /Cannot rename .*ENOTEMPTY/);
    assert.equal(await read('b/kept'), 'text');
  });

  test(`a link is pointed elsewhere, read and removed (${kind})`, async (t) => {
    const { disk, root, write, read } = await make(t);
    for (const name of ['one', 'two']) {
      await disk.makeFolder(`${root}/${name}`);
      await write(`${name}/file`, name);
    }
    const link = `${root}/current`;
    assert.equal(await disk.linkTarget(link), undefined);
    await disk.pointLink(link, 'one');
    assert.equal(await read('current/file'), 'one');
    await disk.pointLink(link, 'two');
    assert.equal(await disk.linkTarget(link), 'two');
    assert.equal(await read('current/file'), 'two');
    await disk.removeTree(link);
    assert.equal(await disk.linkTarget(link), undefined);
    assert.equal(await read('two/file'), 'two', 'what it pointed to stays');
  });

  test(`a tree is removed, and an absent one is no error (${kind})`, async (t) => {
    const { disk, root, write, read } = await make(t);
    await disk.makeFolder(`${root}/deep/inner`);
    await write('deep/inner/file', 'text');
    await disk.removeTree(`${root}/deep`);
    await disk.removeTree(`${root}/deep`);
    assert.equal(await read('deep/inner/file'), undefined);
  });

  test(`a file that two versions share outlives either (${kind})`, async (t) => {
    const { disk, root, write, read } = await make(t);
    await disk.makeFolder(`${root}/old`);
    await disk.makeFolder(`${root}/new`);
    await write('old/runc', 'program');
    await disk.shareFile(`${root}/old/runc`, `${root}/new/runc`);
    await disk.removeTree(`${root}/old`);
    assert.equal(await read('new/runc'), 'program');
  });
}

test('folders of the store may be entered by everybody, whatever the umask of the agent', async (t) => {
  const { disk, root } = await realRig(t);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  await disk.makeFolder(`${root}/parts/agent`);
  for (const name of ['parts', 'parts/agent']) {
    assert.equal((await stat(path.join(root, name))).mode & 0o777, 0o755, name);
  }
  await disk.pointLink(`${root}/parts/current`, 'agent');
  assert.equal(await readlink(`${root}/parts/current`), 'agent');
});
