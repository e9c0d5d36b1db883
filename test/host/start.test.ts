import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { build } from 'esbuild';

async function starter(t: TestContext): Promise<{ readonly directory: string; readonly outfile: string }> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'start-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const outfile = path.join(directory, 'start.cjs');
  await build({ entryPoints: ['agent/start.ts'], outfile, bundle: true, platform: 'node', format: 'cjs' });
  return { directory, outfile };
}

test('an agent whose second half cannot be read ends, to be started anew', async (t) => {
  const { directory, outfile } = await starter(t);
  const program = path.join(directory, 'program.js');
  const late = 'function __late() { torn';
  const head = `/* program */ // ${'5'.repeat(64)}\n// behind: ${late.length} 5 0 5 0\n`;
  const front =
    '(function (__late, __packages) {\nsetTimeout(() => __late(), 1);\nsetTimeout(() => process.exit(0), 60_000) })(__late, __packages);\n';
  writeFileSync(program, `${head}${front}${late}`);
  const { status, stderr } = spawnSync(process.execPath, [outfile, program, '--home', directory], {
    encoding: 'utf8',
  });
  assert.equal(status, 75, stderr);
  assert.match(stderr, /^start\.js: cannot read the rest of \/[^\n]*program\.js: SyntaxError/);
});

test('whoever starts no program is told how to', async (t) => {
  const { outfile } = await starter(t);
  const { status, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /^start\.js: no program is named; run `node start\.js AGENT\.JS [^\n]*\n$/);
});
