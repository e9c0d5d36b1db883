import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));

test('an agent without a free descriptor goes on, and leaves nothing behind', {
  skip: busybox === undefined ? 'busybox is not installed (apt install busybox-static)' : false,
}, async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'files-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const outfile = path.join(directory, 'program.mjs');
  const entryPoints = ['test/programs/out-of-files.ts'];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', target: 'node20' });
  const script = 'ulimit -n 64; exec "$@"';
  const argv = ['-c', script, 'sh', process.execPath, outfile, directory, busybox as string];
  const { status, stdout, stderr } = spawnSync('/bin/sh', argv, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const { isLive, sum, lost, adopted, asked, looked, socket } = JSON.parse(stdout) as {
    readonly isLive: boolean;
    readonly sum: string;
    readonly lost: readonly number[];
    readonly adopted: unknown;
    readonly asked: unknown;
    readonly looked: unknown;
    readonly socket: unknown;
  };
  assert.equal(isLive, false);
  assert.match(sum, /EMFILE|spawn/);
  assert.deepEqual(lost, [0, 0, 0], 'what a capture took that it could not use');
  assert.match(String(adopted), /^Cannot tell whose/, 'a process that cannot be looked at is not gone');
  assert.equal(asked, 'EMFILE', 'which the probe of dockerd looks for');
  assert.match(String(looked), /^Cannot look at process/, 'nor for whoever looks at it only');
  assert.equal(socket, 'listening', 'the socket of a living containerd would be removed');
  assert.deepEqual(readdirSync(directory).sort(), ['pipes', 'program.mjs']);
});
