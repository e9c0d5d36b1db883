import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { HostProductFiles } from '../../agent/host/host-product-files.ts';

const tool = '/usr/bin/busybox';

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'product-files-'));
  t.after(async () => rm(folder, { recursive: true }));
  return folder;
}

/** A tool that answers like busybox, so that the test needs none. */
async function sumTool(folder: string, body: string): Promise<string> {
  const file = path.join(folder, 'tool');
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
  return file;
}

test('facts follow no link, and their stamp changes with content and mode', async (t) => {
  const folder = await newFolder(t);
  const files = new HostProductFiles(tool);
  const file = path.join(folder, 'file');
  await writeFile(file, 'one');
  const before = await files.facts(file);
  assert.deepEqual([before?.kind, before?.sizeBytes, before?.target], ['file', 3, '']);
  assert.equal((await files.facts(file))?.stamp, before?.stamp);
  await chmod(file, 0o755);
  const after = await files.facts(file);
  assert.equal(after?.mode, 0o755);
  assert.notEqual(after?.stamp, before?.stamp);
  await symlink('file', path.join(folder, 'link'));
  const link = await files.facts(path.join(folder, 'link'));
  assert.deepEqual([link?.kind, link?.target], ['link', 'file']);
  assert.equal((await files.facts(folder))?.kind, 'directory');
  assert.equal(await files.facts(path.join(folder, 'absent')), undefined);
  assert.equal(await files.facts(path.join(file, 'below')), undefined);
});

test('a sum is what the tool says, and a tool that fails or says something else gives none', async (t) => {
  const folder = await newFolder(t);
  const file = path.join(folder, 'file');
  await writeFile(file, 'abc');
  const { signal } = new AbortController();
  const good = new HostProductFiles(await sumTool(folder, 'exec "$@"'));
  assert.equal(
    await good.sum(file, signal),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  await assert.rejects(good.sum(path.join(folder, 'absent'), signal), /sum of ".*absent": .* exit code 1/);
  const odd = new HostProductFiles(await sumTool(folder, 'echo hello'));
  await assert.rejects(odd.sum(file, signal), /Cannot read the sum/);
  await assert.rejects(new HostProductFiles('/no/such/tool').sum(file, signal), /ENOENT/);
});

test('a sum that is no longer wanted ends at once', async (t) => {
  const folder = await newFolder(t);
  const files = new HostProductFiles(await sumTool(folder, 'exec sleep 600'));
  const over = new AbortController();
  const sum = files.sum(path.join(folder, 'tool'), over.signal);
  over.abort(new DOMException('over', 'AbortError'));
  await assert.rejects(sum, { name: 'AbortError' });
});
