import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { endwatchProgram } from '../../agent/host/endwatch-program.ts';
import { netwatchProgram } from '../../agent/host/netwatch-program.ts';
import { pipeBytes, piperoomProgram } from '../../agent/host/piperoom-program.ts';
import type { TinyArch } from '../../agent/host/tiny-program.ts';

const emulator = '/usr/bin/qemu-aarch64-static';

/** Argv prefix that runs a program of an architecture here, or why it cannot. */
function runner(arch: TinyArch): readonly string[] | string {
  if (process.arch === arch) return [];
  if (arch === 'arm64' && existsSync(emulator)) return [emulator];
  return `nothing here runs ${arch} programs (apt install qemu-user-static)`;
}

function place(t: TestContext, program: Uint8Array): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'tiny-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'program');
  writeFileSync(file, program, { mode: 0o755 });
  return file;
}

for (const arch of ['x64', 'arm64'] as const) {
  const prefix = runner(arch);
  const skip = typeof prefix === 'string' ? prefix : process.getuid?.() === 0 ? false : 'needs root';
  const words = typeof prefix === 'string' ? [] : prefix;

  test(`the ${arch} listener says when it listens and when a rule is added`, { skip }, async (t) => {
    const file = place(t, netwatchProgram(arch));
    const child = spawn('unshare', ['-n', '-m', ...words, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const said = child.stdout[Symbol.asyncIterator]();
    assert.equal(String((await said.next()).value), '+');
    const added = spawnSync('nsenter', [
      `--net=/proc/${child.pid}/ns/net`,
      'ip',
      'rule',
      'add',
      'pref',
      '5',
      'lookup',
      'main',
    ]);
    assert.equal(added.status, 0, String(added.stderr));
    assert.match(String((await said.next()).value), /^\.+$/);
  });

  test(`the ${arch} listener says when forwarding changes, and names mounts apart from the network`, {
    skip,
  }, async (t) => {
    const file = place(t, netwatchProgram(arch));
    const child = spawn('unshare', ['-n', '-m', ...words, file], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const said = child.stdout[Symbol.asyncIterator]();
    assert.equal(String((await said.next()).value), '+');
    const inside = (...argv: readonly string[]): void => {
      const { status, stderr } = spawnSync('nsenter', ['-t', String(child.pid), '-n', '-m', ...argv]);
      assert.equal(status, 0, String(stderr));
    };
    inside('mount', '-t', 'tmpfs', 'none', '/mnt');
    assert.match(String((await said.next()).value), /^m+$/);
    inside('umount', '/mnt');
    assert.match(String((await said.next()).value), /^m+$/);
    // A new namespace begins with what the machine has, and only a change is news.
    inside('sh', '-c', 'echo $((1 - $(cat /proc/sys/net/ipv4/ip_forward))) > /proc/sys/net/ipv4/ip_forward');
    assert.match(String((await said.next()).value), /^\.+$/);
  });

  test(`the ${arch} watcher of an end says that it watches, and ends with the process`, {
    skip,
  }, async (t) => {
    const watched = spawn('sleep', ['1000']);
    t.after(() => watched.kill('SIGKILL'));
    const file = place(t, endwatchProgram(arch, watched.pid ?? 0));
    const [program, ...args] = [...words, file];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    assert.equal(String((await child.stdout[Symbol.asyncIterator]().next()).value), '+');
    assert.equal(child.exitCode, null);
    watched.kill('SIGKILL');
    assert.equal(await ended, 0);
    // Reaped by now, so the number is nobody's.
    const late = spawnSync(
      [...words, place(t, endwatchProgram(arch, watched.pid ?? 0))][0] as string,
      [...words, file].slice(1),
    );
    assert.equal(late.status, 1);
    assert.equal(String(late.stdout), '');
  });

  test(`the ${arch} program that makes room leaves a pipe with as much as was asked for`, { skip }, (t) => {
    const file = place(t, piperoomProgram(arch));
    const fifo = `${file}.fifo`;
    assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
    // Two descriptions: a child gets one that waits.
    const given = openSync(fifo, constants.O_RDWR);
    const pipe = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    t.after(() => [given, pipe].map((descriptor) => closeSync(descriptor)));
    const [program, ...args] = [...words, file];
    assert.equal(spawnSync(program, args, { stdio: ['ignore', given, given] }).status, 0);
    assert.equal(writeSync(pipe, Buffer.alloc(2 * pipeBytes)), pipeBytes);
  });

  test(`the ${arch} listener tells the securebits that it runs under`, { skip }, (t) => {
    const file = place(t, netwatchProgram(arch));
    assert.equal(
      spawnSync('setpriv', ['--securebits', '+keep_caps_locked', ...words, file, 'bits']).status,
      32,
    );
    assert.equal(spawnSync([...words, file][0] as string, [...words, file, 'bits'].slice(1)).status, 0);
  });
}
