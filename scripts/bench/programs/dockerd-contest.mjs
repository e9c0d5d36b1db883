// One side of a contest, in namespaces of its own: kills dockerd whenever it is told to, and tells how long it took until it was
// ready again. Prints one line of JSON for each sample and `{"done":true}` behind each order.
// Usage: dockerd-contest.mjs SIDE FOLDER BIN-DIRECTORY NODE STARTER BUNDLE [KEPT-CODE]
//   SIDE agent: dockerd is the agent's. SIDE hand: the same command line is started by hand at once after the kill.
//   Orders on standard input, a line each: kill, or exec (side agent: the agent is started anew, and with it dockerd).
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createInterface } from 'node:readline';

const [side, folder, bin, node, starter, bundle, kept] = process.argv.slice(2);
const home = `${folder}/home`;
const socketPath = '/run/docker.sock';
/** A dockerd lives longer than this before it is killed, so that the agent has forgotten earlier failures. */
const lifeMs = 4_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const say = (name, ms) => console.log(JSON.stringify({ name, ms }));

for (const name of ['run', 'log', 'state']) mkdirSync(`${home}/${name}`, { recursive: true });
if (kept) cpSync(kept, `${home}/state`, { recursive: true });
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

async function endAgent() {
  agent.kill('SIGKILL');
  await new Promise((resolve) => agent.once('exit', resolve));
}

/** The kernel's word for the end of it takes the same time for both sides: it starts when the signal is sent. */
async function killUnderAgent() {
  const pid = findDockerd();
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await untilDockerd(pid);
  say('agent: killed → spawned', performance.now() - killedMs);
  await untilReady();
  say('agent: killed → ready', performance.now() - killedMs);
}

async function killByHand() {
  const pid = findDockerd();
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  await ended(pid);
  const output = openSync(`${folder}/dockerd.txt`, 'a');
  const stdio = ['ignore', output, output];
  spawn(argv[0], argv.slice(1), { stdio, env: environment, detached: true }).unref();
  await untilReady();
  say('by hand: killed → ready', performance.now() - killedMs);
}

async function startAnew() {
  const pid = findDockerd();
  await endAgent();
  process.kill(pid, 'SIGKILL');
  await ended(pid);
  const startedMs = performance.now();
  agent = startAgent();
  await untilDockerd(pid);
  say('exec → dockerd spawned', performance.now() - startedMs);
  await untilReady();
  say('exec → dockerd ready', performance.now() - startedMs);
}

const orders = { kill: side === 'agent' ? killUnderAgent : killByHand, exec: startAnew };
let agent = startAgent();
await untilReady();
await pause(lifeMs);
const argv = readFileSync(`/proc/${findDockerd()}/cmdline`, 'utf8').split('\0').slice(0, -1);
if (side === 'hand') await endAgent();
console.log(JSON.stringify({ done: true }));
for await (const order of createInterface({ input: process.stdin })) {
  await orders[order]();
  await pause(lifeMs);
  console.log(JSON.stringify({ done: true }));
}
process.kill(findDockerd(), 'SIGTERM');
await pause(2_000);
