// Kills dockerd under the agent and without it, in namespaces of its own. Prints one line of JSON for each sample.
// Usage: dockerd-contest.mjs FOLDER BIN-DIRECTORY ROUNDS NODE STARTER BUNDLE [KEPT-CODE]
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import http from 'node:http';

const [folder, bin, rounds, node, starter, bundle, kept] = process.argv.slice(2);
const home = `${folder}/home`;
const socketPath = '/run/docker.sock';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (name, ms) => console.log(JSON.stringify({ name, ms }));

for (const name of ['run', 'log', 'state']) mkdirSync(`${home}/${name}`, { recursive: true });
if (kept) {
  copyFileSync(kept, `${home}/state/compiled-code`);
  chmodSync(`${home}/state/compiled-code`, 0o600);
}
const settings = {
  'prep.enabled': false,
  'dockerd.binDir': bin,
  'dockerd.dataRoot': `${folder}/docker`,
  'restart.stableMs': 1_000,
};
writeFileSync(
  `${home}/agent.yaml`,
  Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join(''),
);

const environment = { PATH: `${bin}:/usr/sbin:/usr/bin:/sbin:/bin`, HOME: '/root' };

function startAgent() {
  const output = openSync(`${folder}/agent.txt`, 'a');
  const argv = [starter, bundle, '--home', home, '--product', folder];
  return spawn(node, argv, { stdio: ['ignore', output, output], env: environment });
}

/** Pid of the dockerd that runs now; undefined where there is none. */
function findDockerd() {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      if (stat.includes('(dockerd)') && stat[stat.lastIndexOf(')') + 2] !== 'Z') return Number(pid);
    } catch {
      // It is gone.
    }
  }
  return undefined;
}

async function untilDockerd(except) {
  for (const until = performance.now() + 60_000; performance.now() < until; await pause(1)) {
    const pid = findDockerd();
    if (pid !== undefined && pid !== except) return pid;
  }
  throw new Error(`no dockerd: ${readFileSync(`${folder}/agent.txt`, 'utf8').slice(-500)}`);
}

function info() {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/info', agent: false, timeout: 5_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    request.on('error', () => resolve(false));
    request.on('timeout', () => request.destroy());
  });
}

async function untilReady() {
  for (const until = performance.now() + 120_000; performance.now() < until; await pause(5))
    if (await info()) return;
  throw new Error('dockerd does not answer');
}

async function ended(pid) {
  while (existsSync(`/proc/${pid}`) && findDockerd() === pid) await pause(1);
}

let agent = startAgent();
await untilReady();
await pause(3_000);
const argv = readFileSync(`/proc/${findDockerd()}/cmdline`, 'utf8').split('\0').slice(0, -1);
for (let round = 0; round < Number(rounds); round++) {
  const pid = findDockerd();
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await untilDockerd(pid);
  say('agent: killed → spawned', performance.now() - killedMs);
  await untilReady();
  say('agent: killed → ready', performance.now() - killedMs);
  await pause(4_000);
}
agent.kill('SIGKILL');
await new Promise((resolve) => agent.once('exit', resolve));
// The same kill, and the same command line at once after it, by hand.
for (let round = 0; round < Number(rounds); round++) {
  const pid = findDockerd();
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await ended(pid);
  const output = openSync(`${folder}/dockerd.txt`, 'a');
  spawn(argv[0], argv.slice(1), {
    stdio: ['ignore', output, output],
    env: environment,
    detached: true,
  }).unref();
  await untilReady();
  say('by hand: killed → ready', performance.now() - killedMs);
  await pause(4_000);
}
for (let round = 0; round < Math.min(3, Number(rounds)); round++) {
  const pid = findDockerd();
  process.kill(pid, 'SIGKILL');
  await ended(pid);
  const startedMs = performance.now();
  agent = startAgent();
  await untilDockerd(pid);
  say('exec → dockerd spawned', performance.now() - startedMs);
  await untilReady();
  say('exec → dockerd ready', performance.now() - startedMs);
  await pause(4_000);
  agent.kill('SIGKILL');
  await new Promise((resolve) => agent.once('exit', resolve));
}
process.kill(findDockerd(), 'SIGTERM');
await pause(2_000);
