import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

test('whoever starts no program is told how to', async (t) => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'start-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const outfile = path.join(directory, 'start.cjs');
  await build({ entryPoints: ['agent/start.ts'], outfile, bundle: true, platform: 'node', format: 'cjs' });
  const { status, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /^start\.js: no program is named; run `node start\.js AGENT\.JS [^\n]*\n$/);
});
