// Measures the agent beside the same bare Node on a board, where there is nothing but the product; prints one JSON object.
// Usage: node on-board.mjs PRODUCT-FOLDER SCRATCH-FOLDER ROUNDS IDLE-SECONDS
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

const [product = '', scratch = '', rounds = '5', idleSeconds = '30'] = process.argv.slice(2);
const runtime = path.join(product, 'runtime');
const loader = path.join(runtime, 'lib/ld-linux-aarch64.so.1');
const binary = path.join(runtime, 'bin/node');
// As launch.sh starts it: the official build of Node brings its loader along.
const node = existsSync(loader) ? [loader, '--library-path', path.join(runtime, 'lib'), binary] : [binary];

const home = path.join(scratch, 'home');
for (const folder of ['run', 'log', 'state']) mkdirSync(path.join(home, folder), { recursive: true });
const config = path.join(scratch, 'agent.yaml');
writeFileSync(config, 'prep.enabled: false\nroutes.enabled: false\ndockerd.enabled: false\n');
const socketPath = path.join(home, 'run/agent.sock');
const agentArgs = [path.join(product, 'start.js'), path.join(product, 'agent.js')];
agentArgs.push('--home', home, '--product', product, '--config', config);

const times = { nothing: [], agent: [] };
for (let round = 0; round <= Number(rounds); round++) {
  const nothing = await timed(async () => ended(start(['-e', '0'])));
  const { child, ms } = await startedAgent();
  // The first start keeps its compiled code 15 s after it; all others are those of a board that was on before.
  if (round === 0) await pause(25_000);
  child.kill('SIGTERM');
  await ended(child);
  if (round === 0) continue;
  times.nothing.push(nothing);
  times.agent.push(ms);
}
const bare = start(['-e', 'setInterval(() => undefined, 2147483647)']);
const { child: agent } = await startedAgent();
await pause(Number(idleSeconds) * 1_000);
const resident = { bare: residentKiB(bare.pid), agent: residentKiB(agent.pid) };
for (const child of [bare, agent]) child.kill('SIGTERM');
await Promise.all([ended(bare), ended(agent)]);
console.log(JSON.stringify({ version: process.version, arch: process.arch, times, resident }));

function start(args) {
  return spawn(node[0], [...node.slice(1), ...args], { stdio: 'ignore', cwd: scratch });
}

async function ended(child) {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('exit', resolve));
}

async function timed(act) {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

async function startedAgent() {
  let child;
  const ms = await timed(async () => {
    child = start(agentArgs);
    const deadline = performance.now() + 60_000;
    while (!(await answers())) {
      if (performance.now() > deadline) throw new Error('the agent does not answer within 60 s');
      await pause(2);
    }
  });
  return { child, ms };
}

/** By hand: the first request of Node's client takes an emulated processor as long as half a start. */
async function answers() {
  if (!existsSync(socketPath)) return false;
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('data', (bytes) => {
      resolve(bytes.toString('latin1', 0, 13) === 'HTTP/1.1 200 ');
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.write('GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  });
}

function residentKiB(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}
