import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { privateDirectory } from '../host/api-way.ts';
import { run } from './agentctl.ts';

const nobody = '/tmp/oh-ctl-nobody.sock';

test('a file without end is refused, and a pipe that nobody writes to or a device holds nobody up', async (t) => {
  const directory = await privateDirectory(t);
  const [pipe, long] = [path.join(directory, 'pipe'), path.join(directory, 'long')];
  execFileSync('mkfifo', [pipe]);
  await writeFile(long, Buffer.alloc(4_194_305, '#'));
  const refusals = [
    [long, /it has more than 4194304 bytes; name a text file/],
    [directory, /it is a directory; name a text file/],
    ...[pipe, '/dev/zero'].map((file) => [file, /it is a pipe or a device; name a text file/] as const),
  ] as const;
  for (const [file, why] of refusals) {
    const { code, stderr } = await run(nobody, 'config', 'check', file);
    assert.deepEqual([code, why.test(stderr)], [4, true], stderr);
  }
});

test('config check names every problem with its line and ends with 78', async (t) => {
  const directory = await privateDirectory(t);
  const file = path.join(directory, 'agent.yaml');
  await writeFile(file, 'dockerd:\n  pingMs: fast\n  pingms: 5\n');
  const { code, stderr, stdout } = await run(nobody, 'config', 'check', file);
  assert.equal(code, 78);
  assert.equal(stdout, '');
  assert.match(stderr, /agent\.yaml:2: dockerd\.pingMs is "fast", want a whole number/);
  assert.match(stderr, /agent\.yaml:3: dockerd\.pingms is not a known key/);
});

test('control characters of a file are written out, not obeyed by the terminal', async (t) => {
  const file = path.join(await privateDirectory(t), 'agent.yaml');
  await writeFile(file, '"log\\e[2J": 1\n');
  const { stderr } = await run(nobody, 'config', 'check', file);
  assert.match(stderr, /agent\.yaml:1: log\\x1b\[2J is not a known key/);
});

test('the default file that is printed passes the check', async (t) => {
  const file = path.join(await privateDirectory(t), 'agent.yaml');
  await writeFile(file, (await run(nobody, 'config', 'default')).stdout);
  const { code, stdout } = await run(nobody, 'config', 'check', file);
  assert.equal(code, 0);
  assert.match(stdout, /no problems/);
});

test('config keys lists each key with default, range and help', async () => {
  const { stdout } = await run(nobody, 'config', 'keys');
  assert.match(stdout, /^dockerd\.pingMs: 10000\n {2}Milliseconds between two liveness probes/m);
  const rows = JSON.parse((await run(nobody, 'config', 'keys', '--json')).stdout) as { key: string }[];
  assert.ok(rows.some(({ key }) => key === 'api.group'));
});

test('a file that is not there is 4 and said so', async () => {
  const { code, stderr } = await run(nobody, 'config', 'check', '/nowhere.yaml');
  assert.equal(code, 4);
  assert.match(stderr, /it does not exist; name a file that is there/);
});
