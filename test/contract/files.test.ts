import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Files } from '../../agent/core/files.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';

function temporary(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'files-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const stores: Readonly<Record<string, (t: TestContext) => { files: Files; root: string }>> = {
  fake: () => ({ files: new FakeDisk(), root: '/disk' }),
  host: (t) => ({ files: new FileStore(), root: temporary(t) }),
};

for (const [name, make] of Object.entries(stores)) {
  test(`${name}: what was written is read back, and absent is not broken`, async (t) => {
    const { files, root } = make(t);
    assert.equal(await files.read(`${root}/a`), undefined);
    await files.replace(`${root}/a`, 'one\n');
    await files.replace(`${root}/a`, 'zwei ä\n');
    assert.equal(await files.read(`${root}/a`), 'zwei ä\n');
    assert.deepEqual(await files.list(root), ['a']);
  });

  test(`${name}: a broken file is set aside under a new name`, async (t) => {
    const { files, root } = make(t);
    await files.replace(`${root}/a`, 'broken');
    assert.equal(await files.setAside(`${root}/a`), `${root}/a.broken-1`);
    assert.equal(await files.read(`${root}/a`), undefined);
    assert.equal(await files.read(`${root}/a.broken-1`), 'broken');
    assert.equal(await files.setAside(`${root}/a`), undefined);
  });

  test(`${name}: a copy is whole or not there, and a moved file takes the place of another`, async (t) => {
    const { files, root } = make(t);
    await files.replace(`${root}/a`, 'one');
    await files.replace(`${root}/b`, 'two');
    await files.copy(`${root}/a`, `${root}/c`, 0o755);
    assert.equal(await files.read(`${root}/c`), 'one');
    await files.move(`${root}/b`, `${root}/c`);
    assert.equal(await files.read(`${root}/c`), 'two');
    await files.move(`${root}/nothing`, `${root}/c`);
    await assert.rejects(files.copy(`${root}/nothing`, `${root}/d`, 0o755), { code: 'FILE_FAILED' });
    assert.deepEqual(await files.list(root), ['a', 'c']);
  });

  test(`${name}: removing and listing what is not there is no error`, async (t) => {
    const { files, root } = make(t);
    await files.remove(`${root}/nothing`);
    assert.deepEqual(await files.list(`${root}/nothing`), []);
    await files.makeDirectory(`${root}/x/y`);
    await files.makeDirectory(`${root}/x/y`);
  });
}

test('host: a replaced file has the asked mode and leaves nothing else behind', async (t) => {
  const files = new FileStore();
  const root = temporary(t);
  await files.replace(`${root}/secret`, 'x', { mode: 0o600 });
  assert.equal(statSync(`${root}/secret`).mode & 0o777, 0o600);
  await files.replace(`${root}/secret`, 'y');
  assert.equal(statSync(`${root}/secret`).mode & 0o777, 0o644);
  await files.copy(`${root}/secret`, `${root}/program`, 0o755);
  assert.equal(statSync(`${root}/program`).mode & 0o777, 0o755);
  assert.deepEqual(readdirSync(root), ['program', 'secret']);
});

test('host: what agents left that were killed while they wrote is removed, what others write now is not', async (t) => {
  const root = temporary(t);
  const [dead, own, other] = ['a.new-99999999-1', `token.new-${process.pid}-7`, `b.new-${process.ppid}-1`];
  for (const name of [dead, own, other]) writeFileSync(`${root}/${name}`, 'half');
  const files = new FileStore();
  await files.replace(`${root}/a`, 'whole');
  assert.deepEqual(readdirSync(root).sort(), ['a', other]);
  await Promise.all(Array.from({ length: 20 }, (_, index) => files.replace(`${root}/a`, `${index}`)));
  assert.deepEqual(readdirSync(root).sort(), ['a', other]);
});

/** Numbers of what is brought to the disk from now on. */
async function synced(t: TestContext): Promise<ReadonlySet<number>> {
  const handle = await open('/dev/null');
  const kind = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const seen = new Set<number>();
  const real = Object.getOwnPropertyDescriptor(kind, 'sync')?.value as (this: FileHandle) => Promise<void>;
  t.mock.method(kind, 'sync', async function (this: FileHandle) {
    seen.add((await this.stat()).ino);
    return real.call(this);
  });
  return seen;
}

test('host: a removed file stays away after a power cut, a made directory stays: the directory above is on the disk', async (t) => {
  const files = new FileStore();
  const root = temporary(t);
  const seen = await synced(t);
  await files.makeDirectory(`${root}/x/y`);
  for (const folder of [root, `${root}/x`]) assert.ok(seen.has(statSync(folder).ino), folder);
  writeFileSync(`${root}/x/y/token`, 'secret');
  assert.ok(!seen.has(statSync(`${root}/x/y`).ino));
  await files.remove(`${root}/x/y/token`);
  assert.ok(seen.has(statSync(`${root}/x/y`).ino));
});

test('host: a place that takes no directory is refused at once', async () => {
  await assert.rejects(new FileStore().makeDirectory('/proc/nothing/below'), { code: 'FILE_FAILED' });
});

test('host: a named pipe in place of a file holds nobody up', async (t) => {
  const root = temporary(t);
  execFileSync('mkfifo', [`${root}/pipe`]);
  await assert.rejects(new FileStore().read(`${root}/pipe`), /named pipe/);
});

test('host: files set aside never take more than five names', async (t) => {
  const files = new FileStore();
  const root = temporary(t);
  for (let round = 0; round < 9; round += 1) {
    await files.replace(`${root}/a`, `round ${round}`);
    await files.setAside(`${root}/a`);
  }
  assert.deepEqual(await files.list(root), [
    'a.broken-1',
    'a.broken-2',
    'a.broken-3',
    'a.broken-4',
    'a.broken-5',
  ]);
  assert.equal(await files.read(`${root}/a.broken-5`), 'round 8');
});

test('host: a file above the limit is refused, one of /proc is read although it claims to be empty', async (t) => {
  const files = new FileStore();
  const root = temporary(t);
  writeFileSync(`${root}/large`, 'x'.repeat(1_000));
  await assert.rejects(files.read(`${root}/large`, 999), { code: 'TOO_LARGE' });
  assert.equal((await files.read(`${root}/large`, 1_000))?.length, 1_000);
  assert.match((await files.read('/proc/self/status')) ?? '', /^Name:/);
});

test('host: a failure names the act, the path, the errno and the fix', async (t) => {
  const files = new FileStore();
  const root = temporary(t);
  chmodSync(root, 0o755);
  await assert.rejects(files.replace(`${root}/no/such/place`, 'x'), {
    code: 'FILE_FAILED',
    message: `Cannot write "${root}/no/such/place": ENOENT`,
  });
  await assert.rejects(files.replace('/proc/nothing', 'x'), { code: 'FILE_FAILED' });
});
