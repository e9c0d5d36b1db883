// Compiles test/**/*.test.ts with esbuild and runs it with node:test, because Node 20 cannot read TypeScript.
// Usage: node scripts/test.mjs [--node PATH] [FILE|DIR]…   (default: every test but test/lab and test/e2e)
import { spawnSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const args = process.argv.slice(2);
const nodeFlag = args.indexOf('--node');
const node = nodeFlag === -1 ? process.execPath : args.splice(nodeFlag, 2)[1];
const wanted = args.map((name) => path.normalize(name).replace(/\/$/, ''));

const everything = (await readdir('test', { recursive: true })).map((name) => path.join('test', name));
const sources = everything.filter((name) => name.endsWith('.test.ts')).sort();
const isSelected = (name) => wanted.some((prefix) => name === prefix || name.startsWith(`${prefix}/`));
const chosen = sources.filter((name) =>
  wanted.length === 0 ? !name.startsWith('test/lab/') : isSelected(name),
);
if (chosen.length === 0) {
  console.error(
    `Cannot find tests: none match ${wanted.join(' ') || 'test/'}; name a file or folder below test/`,
  );
  process.exit(2);
}

const outdir = path.join('build', 'test', String(process.pid));
try {
  await build({
    entryPoints: chosen,
    outdir,
    outbase: 'test',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'linked',
    loader: { '.html': 'text' },
    define: { __VERSION__: '"0.0.0-test"' },
    logLevel: 'warning',
  });
  const files = chosen.map((name) => path.join(outdir, path.relative('test', name).replace(/\.ts$/, '.js')));
  // Only a hang may reach it: it counts for a whole file, and a busy machine is ten times as slow. Tests at real clusters,
  // which nobody runs unasked, take longer.
  const timeout = process.env.TEST_TIMEOUT_MS ?? '900000';
  const flags = ['--enable-source-maps', '--test', `--test-timeout=${timeout}`, '--test-concurrency=2'];
  const reporter = ['--test-reporter=./scripts/test-reporter.mjs', '--test-reporter-destination=stdout'];
  const run = spawnSync(node, [...flags, ...reporter, ...files], {
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  process.exitCode = run.status ?? 1;
} finally {
  await rm(outdir, { recursive: true, force: true });
}
