import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { StatusDocument } from '../../agent/api/wire.ts';

const bundle = path.resolve('dist/agent.js');
/** Units need a named pipe, which Node cannot make. */
const skip =
  !['/usr/bin/busybox', '/bin/busybox'].some((file) => existsSync(file)) &&
  'needs busybox (Debian package busybox-static)';
const isBuilt = existsSync(bundle) || spawnSync('node', ['build.mjs']).status === 0;
const quiet = 'prep.enabled: false\ndockerd.enabled: false\n';

interface Home {
  readonly directory: string;
  start(env?: Readonly<Record<string, string>>): ChildProcess;
  /** Status, asked for until somebody answers; the agent answers before anything else, so this is short. */
  status(): Promise<StatusDocument>;
}

async function makeHome(t: TestContext, config: string): Promise<Home> {
  assert.ok(isBuilt, 'run `npm run build`');
  const directory = await mkdtemp(path.join(tmpdir(), 'oh-e2e-'));
  const children: ChildProcess[] = [];
  t.after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  await writeFile(path.join(directory, 'agent.yaml'), config);
  return {
    directory,
    start(env = {}) {
      const child = spawn(process.execPath, [bundle, '--home', directory, '--product', directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...env },
      });
      children.push(child);
      return child;
    },
    status: () => eventually(() => get(path.join(directory, 'run/agent.sock'), '/v1/status')),
  };
}

async function eventually<T>(look: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 180_000;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function get(socketPath: string, target: string): Promise<StatusDocument> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path: target, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve(JSON.parse(text) as StatusDocument));
    });
    request.on('error', reject);
  });
}

async function endOf(child: ChildProcess): Promise<{ code: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

test('an agent with a broken configuration answers status and names every problem', async (t) => {
  const home = await makeHome(t, `${quiet}log.files: many\nlogs.level: loud\n`);
  home.start();
  const status = await home.status();
  assert.equal(status.ready, false);
  assert.equal(status.agent.configProblems.length, 2);
  assert.match(status.agent.configProblems[0] ?? '', /agent\.yaml:3: log\.files is "many"/);
  const condition = status.conditions.find(({ type }) => type === 'ConfigValid');
  assert.equal(condition?.status, 'false');
});

test('a second agent on the same home leaves with exit code 4 and the first one untouched', async (t) => {
  const home = await makeHome(t, quiet);
  home.start();
  const first = await home.status();
  const { code, stderr } = await endOf(home.start());
  assert.equal(code, 4);
  assert.match(stderr, /another agent answers there/);
  assert.equal((await home.status()).agent.pid, first.agent.pid);
});

test('an agent whose work hangs ends all the same', { skip }, async (t) => {
  const home = await makeHome(t, quiet);
  const edgecore = path.join(home.directory, 'edgecore');
  await writeFile(edgecore, '#!/bin/sh\n: >"$0.asked"\nexec /bin/sleep 60\n', { mode: 0o755 });
  await writeFile(path.join(home.directory, 'agent.yaml'), `${quiet}edgecore.binary: ${edgecore}\n`);
  await writeFile(path.join(home.directory, 'join.yaml'), 'cloudcore: 127.0.0.1\nnodeName: board-1\n');
  const child = home.start();
  await eventually(() => readFile(`${edgecore}.asked`));
  child.kill('SIGTERM');
  const { code, stderr } = await endOf(child);
  assert.equal(code, 0);
  assert.match(stderr, /did not end in order/);
});

test('what runs before the API answers stands in the front of the bundle', async (t) => {
  const units =
    'units:\n  nap: {argv: [/bin/true]}\ncontainerd.enabled: true\ndockerd.binDir: /nonexistent\n';
  const home = await makeHome(t, `prep.enabled: false\n${units}`);
  const first = home.start();
  await home.status();
  first.kill('SIGKILL');
  await once(first, 'exit');
  const seen = path.join(home.directory, 'until-answer.json');
  const preload = path.resolve('test/programs/until-answer.cjs');
  home.start({ NODE_OPTIONS: `--require ${preload}`, UNTIL_ANSWER: seen });
  await home.status();
  const ran = JSON.parse(await readFile(seen, 'utf8')) as readonly string[];
  const early = JSON.parse(await readFile('scripts/bundle/early.json', 'utf8')) as readonly string[];
  assert.ok(ran.includes('agent/daemon.ts'), `nothing was seen: ${ran.join(' ')}`);
  const missing = ran.filter((name) => !early.includes(name));
  assert.deepEqual(
    missing,
    [],
    'a start reads all that is not in scripts/bundle/early.json: add these there',
  );
  const gone = early.filter((name) => name.startsWith('agent/') && !existsSync(name));
  assert.deepEqual(gone, [], 'scripts/bundle/early.json names files that are not there');
});

test('SIGTERM ends the agent in order and takes its sockets away', async (t) => {
  const home = await makeHome(t, quiet);
  const child = home.start();
  await home.status();
  child.kill('SIGTERM');
  assert.equal((await endOf(child)).code, 0);
  assert.equal(existsSync(path.join(home.directory, 'run/agent.sock')), false);
});

test('a declared unit survives SIGKILL of the agent and is adopted by the next one', { skip }, async (t) => {
  const home = await makeHome(
    t,
    `${quiet}units:\n  nap: {argv: [${process.execPath}, -e, "setInterval(() => 0, 9e8)"]}\n`,
  );
  const first = home.start();
  const before = await eventually(async () => readyUnit(await home.status()));
  first.kill('SIGKILL');
  await once(first, 'exit');
  home.start();
  const after = await eventually(async () => readyUnit(await home.status()));
  t.after(() => process.kill(after.pid, 'SIGKILL'));
  assert.equal(after.pid, before.pid);
  assert.equal(after.adopted, true);
});

test('an agent that takes far more memory than it may ends to be started anew, and its unit runs on', {
  skip,
}, async (t) => {
  const nap = `nap: {argv: [${process.execPath}, -e, "setInterval(() => 0, 9e8)"]}`;
  const home = await makeHome(
    t,
    `${quiet}health.agentMaxBytes: 100663296\nhealth.sampleMs: 5000\nunits:\n  ${nap}\n`,
  );
  const ballast = path.join(home.directory, 'ballast.cjs');
  const record = path.join(home.directory, 'state/units/nap.json');
  const grow = `if (require('fs').existsSync('${record}')) globalThis.ballast ??= Buffer.alloc(2.2e8, 1)`;
  await writeFile(ballast, `setInterval(() => { ${grow} }, 50).unref();\n`);
  const { code } = await endOf(home.start({ NODE_OPTIONS: `--require ${ballast}` }));
  assert.equal(code, 75);
  home.start();
  const { pid, adopted } = await eventually(async () => readyUnit(await home.status()));
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(adopted, true);
  assert.match(await readFile(path.join(home.directory, 'state/ledger.records'), 'utf8'), /AgentTooLarge/);
});

test('an argument that nobody knows is a usage error with the usage', async (t) => {
  const home = await makeHome(t, quiet);
  const child = spawn(process.execPath, [bundle, '--hoem', home.directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { code, stderr } = await endOf(child);
  assert.equal(code, 2);
  assert.match(stderr, /usage: agent\.js/);
});

test('a home whose run directory cannot be made is reported and the agent goes on', async (t) => {
  const home = await makeHome(t, quiet);
  await writeFile(path.join(home.directory, 'run'), 'in the way');
  home.start();
  const log = path.join(home.directory, 'log/agent.log');
  const text = await eventually(async () => {
    const lines = await readFile(log, 'utf8');
    assert.match(lines, /api\.unreachable/);
    return lines;
  });
  assert.match(text, /Cannot listen on .*; move it away/);
  const { status, stderr } = spawnSync(process.execPath, [
    path.resolve('dist/agentctl.js'),
    '--socket',
    path.join(home.directory, 'run/agent.sock'),
    'status',
  ]);
  assert.equal(status, 3);
  assert.match(String(stderr), /a part of the path is a file.*; move it away/);
  await rm(path.join(home.directory, 'run'));
  await eventually(async () => assert.equal((await home.status()).ready, true));
});

test('dockerd that is missing or for another machine is named, and the agent still answers', {
  skip,
}, async (t) => {
  const home = await makeHome(t, '');
  const bin = path.join(home.directory, 'docker');
  await mkdir(bin);
  await writeFile(path.join(home.directory, 'agent.yaml'), `prep.enabled: false\ndockerd.binDir: ${bin}\n`);
  home.start();
  const missing = await eventually(async () => failedUnit(await home.status()));
  assert.equal(missing.reason, 'ProgramMissing');
  for (const name of ['dockerd', 'containerd', 'runc']) {
    await writeFile(path.join(bin, name), foreignElf());
    await chmod(path.join(bin, name), 0o755);
  }
  const foreign = await eventually(async () => {
    const unit = failedUnit(await home.status());
    assert.equal(unit.reason, 'WrongArchitecture');
    return unit;
  });
  assert.match(foreign.message, /this machine is/);
});

function readyUnit(status: StatusDocument): { pid: number; adopted?: boolean } {
  const unit = status.units.find(({ name }) => name === 'nap');
  assert.equal(unit?.phase, 'ready');
  assert.ok(unit.pid !== undefined);
  return { pid: unit.pid, ...(unit.adopted === undefined ? {} : { adopted: unit.adopted }) };
}

function failedUnit(status: StatusDocument): { reason: string; message: string } {
  const unit = status.units.find(({ name }) => name === 'dockerd');
  assert.equal(unit?.phase, 'failed');
  return { reason: unit.reason, message: unit.message };
}

/** Head of a 64-bit ELF program for MIPS, which no machine of ours is. */
function foreignElf(): Buffer {
  const head = Buffer.alloc(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(8, 18);
  return head;
}
