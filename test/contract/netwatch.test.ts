import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type NetwatchArch, netwatchProgram } from '../../agent/host/netwatch-program.ts';

const emulator = '/usr/bin/qemu-aarch64-static';

/** Argv prefix that runs a program of an architecture here, or why it cannot. */
function runner(arch: NetwatchArch): readonly string[] | string {
  if (process.arch === arch) return [];
  if (arch === 'arm64' && existsSync(emulator)) return [emulator];
  return `nothing here runs ${arch} programs (apt install qemu-user-static)`;
}

function place(t: TestContext, arch: NetwatchArch): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'netwatch-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'netwatch');
  writeFileSync(file, netwatchProgram(arch), { mode: 0o755 });
  return file;
}

for (const arch of ['x64', 'arm64'] as const) {
  const prefix = runner(arch);
  const skip = typeof prefix === 'string' ? prefix : process.getuid?.() === 0 ? false : 'needs root';
  const words = typeof prefix === 'string' ? [] : prefix;

  test(`the ${arch} listener says when it listens and when a rule is added`, { skip }, async (t) => {
    const file = place(t, arch);
    const child = spawn('unshare', ['-n', ...words, file], { stdio: ['ignore', 'pipe', 'inherit'] });
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

  test(`the ${arch} listener tells the securebits that it runs under`, { skip }, (t) => {
    const file = place(t, arch);
    assert.equal(
      spawnSync('setpriv', ['--securebits', '+keep_caps_locked', ...words, file, 'bits']).status,
      32,
    );
    assert.equal(spawnSync([...words, file][0] as string, [...words, file, 'bits'].slice(1)).status, 0);
  });
}
