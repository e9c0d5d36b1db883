import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { isAgentError } from '../../agent/core/agent-error.ts';
import { makeWay, privateDirectory, startWay } from './api-way.ts';

const signal = new AbortController().signal;

test('the socket is for root only, whatever the umask says', async (t) => {
  const umask = process.umask(0);
  t.after(() => process.umask(umask));
  const { path: file } = await startWay(t);
  const { mode, uid } = await stat(file);
  assert.equal(mode & 0o777, 0o600);
  assert.equal(uid, process.getuid?.());
});

test('the reading socket belongs to its group', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('needs root to give a file to another group');
  const { path: file } = await startWay(t, { access: { mode: 0o660, groupId: 4_711 }, may: ['observe'] });
  const { mode, gid } = await stat(file);
  assert.equal(mode & 0o777, 0o660);
  assert.equal(gid, 4_711);
});

test('nothing but the socket is left in its directory', async (t) => {
  const { path: file } = await startWay(t);
  assert.deepEqual(await readdir(path.dirname(file)), ['agent.sock']);
});

test('a second agent on the same socket is refused and the first goes on answering', async (t) => {
  const first = await startWay(t);
  const second = makeWay(first.path);
  await assert.rejects(second.listener.start(), (error) => isAgentError(error, 'ALREADY_RUNNING'));
  assert.equal((await first.client.version(signal)).wire, 1);
});

test('a socket that a killed agent left behind is replaced', async (t) => {
  const file = path.join(await privateDirectory(t), 'agent.sock');
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(`${file}.old`, resolve));
  await rename(`${file}.old`, file);
  await new Promise((resolve) => dead.close(resolve));
  assert.ok((await stat(file)).isSocket());
  const way = makeWay(file);
  await way.listener.start();
  t.after(() => way.listener.stop());
  assert.equal((await way.client.version(signal)).wire, 1);
});

test('a file that is no socket is left alone and named', async (t) => {
  const file = path.join(await privateDirectory(t), 'agent.sock');
  await writeFile(file, 'precious');
  await assert.rejects(makeWay(file).listener.start(), /it is there and no socket; move it away/);
  assert.equal(await readFile(file, 'utf8'), 'precious');
});

test('a missing directory is made', async (t) => {
  const file = path.join(await privateDirectory(t), 'run', 'agent.sock');
  const way = makeWay(file);
  await way.listener.start();
  t.after(() => way.listener.stop());
  assert.equal((await way.client.version(signal)).wire, 1);
});

test('a path below a file is refused with the fix', async (t) => {
  const directory = await privateDirectory(t);
  await writeFile(path.join(directory, 'run'), '');
  const start = makeWay(path.join(directory, 'run', 'agent.sock')).listener.start();
  await assert.rejects(
    start,
    (error) => isAgentError(error, 'FILE_FAILED') && /ENOTDIR|EEXIST/.test(error.message),
  );
});

test('a directory that is not writable is refused with the fix', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root may write everywhere; shown on a read-only mount below');
  const directory = await privateDirectory(t);
  const run = path.join(directory, 'run');
  await mkdir(run);
  await chmod(run, 0o500);
  await assert.rejects(
    makeWay(path.join(run, 'agent.sock')).listener.start(),
    /EACCES, the directory is not writable/,
  );
});

test('a read-only file system is refused with the fix', async () => {
  // sysfs refuses new files to everybody; its errno is the one of a directory that is not writable.
  const start = makeWay('/sys/kernel/oh-api-test/agent.sock').listener.start();
  await assert.rejects(
    start,
    (error) => isAgentError(error, 'FILE_FAILED') && /EPERM|EACCES|EROFS/.test(error.message),
  );
});

test('a path that is too long for a socket is refused with the bound', async (t) => {
  const file = path.join(await privateDirectory(t), 'x'.repeat(90), 'agent.sock');
  await assert.rejects(makeWay(file).listener.start(), /want at most \d+; choose a shorter directory/);
});

test('an agent that is too busy to take another connection is there all the same', async (t) => {
  const file = path.join(await privateDirectory(t), 'agent.sock');
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen({ path: file, backlog: 1 }, resolve));
  t.after(() => busy.close());
  // All in one turn of the loop: nobody is let in before the second agent asks.
  const waiting = Array.from({ length: 5 }, () => createConnection(file).on('error', () => undefined));
  const second = makeWay(file).listener.start();
  await assert.rejects(second, (error) => isAgentError(error, 'ALREADY_RUNNING'));
  for (const socket of waiting) socket.destroy();
});
