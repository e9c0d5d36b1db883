import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { readStat } from '../../agent/host/proc-reader.ts';
import { HostSupportFiles } from '../../agent/host/support-files.ts';
import { writeTarFile } from '../../agent/host/tar-file.ts';
import { writeSupportBundle } from '../../agent/support-bundle.ts';
import { run } from '../cli/agentctl.ts';

const token = `${'0123456789abcdef'.repeat(4)}.eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl`;
const plainToken = 'PLANTED-join-token';
const password = 'PLANTED-password';
const commandKey = 'PLANTED-key-of-signed-commands-0123456789';
const keyLine = `PLANTED${'k'.repeat(57)}`;

const stamp = '2026-11-30T03:00:00.123Z e ';

/** A board's home with a secret in every place where one may lie or leak to. */
function plantedHome(t: TestContext): { readonly root: string; readonly home: string; readonly etc: string } {
  const root = mkdtempSync(path.join(tmpdir(), 'oea-support-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const [home, etc] = [path.join(root, 'home'), path.join(root, 'etc')];
  const put = (name: string, text: string): void => {
    mkdirSync(path.dirname(name), { recursive: true });
    writeFileSync(name, text);
  };
  const named = `command:\n  keyFile: ${root}/command.key\n`;
  put(`${home}/agent.yaml`, `report:\n  mqtt:\n    password: ${password}\n${named}`);
  put(`${root}/command.key`, `${commandKey}\n`);
  put(`${home}/join.yaml`, `token: ${plainToken}\n`);
  put(`${home}/log/agent.log`, `{"event":"odd","text":"got ${plainToken} and ${token}"}\n`);
  put(`${home}/log/edgecore.log`, `login with ${password}\n${keyLine}\n`);
  put(`${home}/log/launch.log`, `signed with ${commandKey}\n`);
  const stored = [
    'the end of a line',
    `${stamp}level=info msg="an ordinary line"`,
    `password: ${password}`,
    'last',
  ];
  put(`${home}/log/dockerd.log`, `${stored.join('\n')}\n`);
  put(`${home}/state/ledger.jsonl`, `{"why":"token ${plainToken} credentials are in the wrong format"}\n`);
  const earlier = 'units:\n  mapper:\n    argv: [/bin/m]\n    env:\n      GREETING: PLANTED-greeting\n';
  put(`${home}/state/agent.last-good.json`, JSON.stringify({ text: earlier, entries: [] }));
  put(`${home}/fs/etc/kubeedge/config/edgecore.yaml`, `modules:\n  edgeHub:\n    token: ${token}\n`);
  put(`${etc}/kubeedge/bootstrap-edgecore.conf`, `${plainToken}\n`);
  const key = `-----BEGIN EC PRIVATE KEY-----\n${keyLine}\n-----END EC PRIVATE KEY-----\n`;
  put(`${etc}/kubeedge/certs/server.key`, key);
  put(`${etc}/resolv.conf`, 'nameserver 192.168.7.1\n');
  return { root, home, etc };
}

function unpack(tar: string): { readonly names: readonly string[]; readonly text: string } {
  const names = spawnSync('tar', ['-tf', tar], { encoding: 'utf8' });
  assert.equal(names.status, 0, names.stderr);
  return { names: names.stdout.trim().split('\n'), text: readFileSync(tar, 'latin1') };
}

test('the bundle holds what a helper asks for and none of the planted secrets', async (t) => {
  const { root, home, etc } = plantedHome(t);
  const output = path.join(root, 'bundle.tar');
  const documents = { status: { ready: false }, events: [{ message: `refused ${plainToken}` }] };
  const argv = ['--home', home, '--product', path.join(root, 'product')];
  const made = await writeSupportBundle({ documents, output, argv, etc }, AbortSignal.timeout(60_000));
  const { names, text } = unpack(output);
  assert.deepEqual(names, made.files);
  assert.equal(statSync(output).size, made.bytes);
  assert.equal(statSync(output).mode & 0o777, 0o600);
  for (const name of [
    'agent/status.json',
    'agent/events.json',
    'config/agent.yaml',
    'config/agent.last-good.yaml',
    'config/edgecore.yaml',
    'config/resolv.conf',
    'log/agent.log',
    'log/dockerd.log',
    'state/ledger.jsonl',
    'mounts/system.txt',
    'network/rules.txt',
    'network/routes.txt',
    'kernel/cgroups.txt',
    'kernel/sysctls.txt',
    'processes.txt',
    'files/home.txt',
    'docker/info.json',
  ]) {
    assert.ok(names.includes(`oh-edge-support/${name}`), `${name} is missing in ${names.join(' ')}`);
  }
  for (const secret of [token, plainToken, password, keyLine, 'PLANTED'])
    assert.ok(!text.includes(secret), `${secret} is in the bundle`);
  assert.match(text, /an ordinary line/);
  const shown = [
    'the end of a line',
    `${stamp}level=info msg="an ordinary line"`,
    `${stamp}password: [secret]`,
  ];
  assert.ok(text.includes(`${shown.join('\n')}\n${stamp}last\n`), 'each line of a log has its time');
  assert.match(text, /nameserver 192\.168\.7\.1/);
});

test('agentctl makes a bundle without a running agent, and says why its answers are missing', async (t) => {
  const { root } = plantedHome(t);
  const output = path.join(root, 'without.tar');
  const { code, stdout, stderr } = await run(path.join(root, 'nobody.sock'), 'support-bundle', '-o', output);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /without\.tar: \d+ files, \d+ bytes; secrets are taken out/);
  const { names, text } = unpack(output);
  for (const name of ['agent/doctor.json', 'agent/plan.json', 'agent/status.json', 'mounts/system.txt'])
    assert.ok(names.includes(`oh-edge-support/${name}`), name);
  assert.match(text, /Cannot reach the agent/);
  assert.match(text, /"findings"/, 'doctor looked by itself');
  assert.match(text, /"strategy"/, 'plan too');
});

test('a bundle that cannot be written says how to write another one', async (t) => {
  const { root } = plantedHome(t);
  const { code, stderr } = await run(
    path.join(root, 'nobody.sock'),
    'support-bundle',
    '-o',
    `${root}/none/x.tar`,
  );
  assert.notEqual(code, 0);
  assert.match(stderr, /Cannot write ".*x\.tar": ENOENT; name another file with --output/);
});

test("a bundle is for its owner only, and never goes where a link or another one's file leads", async (t) => {
  const { root } = plantedHome(t);
  const write = (name: string) =>
    writeTarFile(path.join(root, name), [{ name: 'a.txt', text: 'what the board knows' }]);
  writeFileSync(path.join(root, 'old.tar'), 'x'.repeat(100_000), { mode: 0o644 });
  const bytes = await write('old.tar');
  const { mode, size } = statSync(path.join(root, 'old.tar'));
  assert.deepEqual([mode & 0o777, size], [0o600, bytes]);
  writeFileSync(path.join(root, 'precious'), 'precious');
  symlinkSync('precious', path.join(root, 'link.tar'));
  linkSync(path.join(root, 'precious'), path.join(root, 'hard.tar'));
  for (const name of ['link.tar', 'hard.tar']) await assert.rejects(write(name), /name another file/, name);
  if (process.getuid?.() === 0) {
    writeFileSync(path.join(root, 'trap.tar'), '');
    chownSync(path.join(root, 'trap.tar'), 4_711, 4_711);
    await assert.rejects(write('trap.tar'), /belongs to somebody else; name another file/);
  }
  assert.equal(readFileSync(path.join(root, 'precious'), 'utf8'), 'precious');
});

/** vfork(2) on x86-64: its caller waits in the kernel, as for a disk, until the child has ended. */
const canWait = process.arch === 'x64' && existsSync('/usr/bin/perl');

test('arguments of a process that waits in the kernel are not read, and the others are', {
  skip: canWait ? false : 'perl is not installed, or this is another machine',
}, async (t) => {
  const script = 'if (syscall(58) == 0) { sleep 1000 }';
  const child = spawn('/usr/bin/perl', ['-e', script], { detached: true, stdio: 'ignore' });
  const { pid = 0 } = child;
  t.after(() => process.kill(-pid, 'SIGKILL'));
  while (readStat(pid)?.state !== 'D') await new Promise((resolve) => setImmediate(resolve));
  const lines = new HostSupportFiles().processes();
  assert.match(
    lines,
    new RegExp(`^${pid} parent .*\n    \\S*perl \\(its arguments are not read: thread ${pid} in`, 'm'),
  );
  assert.match(lines, new RegExp(`^${process.pid} parent .*\n    .*node .*`, 'm'));
});
