import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { build } from 'esbuild';

/** Programs of ours that a script of package.json ends in, and the bundles that a board runs. */
const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> };
const own = /(?:scripts\/[\w/-]+\.(?:ts|mjs)|build\.mjs)\b/g;
const named = Object.values(scripts).flatMap((line) => line.match(own) ?? []);
const programs = [...new Set([...named, 'agent/main.ts', 'agent/cli/main.ts'])].sort();

const outdir = await mkdtemp(path.join('build', 'usage-'));
after(() => rm(outdir, { recursive: true }));
await build({
  entryPoints: programs,
  outdir,
  outbase: '.',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  loader: { '.html': 'text' },
  define: { __VERSION__: '"0.0.0-test"' },
  logLevel: 'warning',
});

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, argument: string): Promise<Answer> {
  const file = path.resolve(outdir, program.replace(/\.\w+$/, '.mjs'));
  return new Promise((resolve) => {
    execFile(process.execPath, [file, argument], { cwd: outdir }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

assert.ok(programs.length >= 18, programs.join(' '));

for (const program of programs) {
  test(`${program} --help prints its usage with examples and ends with 0`, async () => {
    const { code, stdout, stderr } = await run(program, '--help');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Usage: /);
    assert.match(stdout, /^Examples?:$/m);
    assert.equal(stderr, '');
  });

  test(`${program} refuses an option that it does not know with one line and 2`, async () => {
    const { code, stdout, stderr } = await run(program, '--no-such-option');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--no-such-option/);
    assert.match(stderr, /--help/);
    assert.doesNotMatch(stderr, /^ {4}at /m);
    assert.equal(stdout, '');
  });
}
