import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { privateDirectory, startWay } from '../host/api-way.ts';
import { bundle, finish, run, start } from './agentctl.ts';

const nobody = '/tmp/oh-ctl-nobody.sock';

/** What bash would offer for a line, its last word being the one that is completed. */
async function complete(words: readonly string[]): Promise<string[]> {
  const { stdout } = await run(nobody, 'completion', 'bash');
  const list = words.map((word) => `'${word}'`).join(' ');
  const script = `${stdout}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _agentctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const result = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.split('\n').filter((word) => word !== '');
}

const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['the first word', ['agentctl', 'st'], ['status', 'start', 'stop']],
  ['an option', ['agentctl', 'logs', '--s'], ['--since']],
  ['a word of a group', ['agentctl', 'config', ''], ['check', 'keys', 'default', '--help']],
  ['an option of a command in a group', ['agentctl', 'config', 'check', '--j'], ['--json']],
  ['a choice', ['agentctl', 'completion', 'z'], ['zsh']],
  ['a part', ['agentctl', 'update', 'd'], ['dockerd']],
  ['an option with a dash inside', ['agentctl', 'update', '--dry'], ['--dry-run']],
  ['an option with digits', ['agentctl', 'update', '--sha'], ['--sha256']],
  ['the file of an option', ['agentctl', 'update', '--from', '/etc/hostn'], ['/etc/hostname']],
  ['the part to take back', ['agentctl', 'rollback', 'e'], ['edgecore']],
  ['a command after the socket', ['agentctl', '--socket', '/x', 'doc'], ['doctor']],
  ['the value of an option', ['agentctl', 'shutdown', '--for', 'r'], ['reboot']],
  ['nothing where nothing fits', ['agentctl', 'plan', 'x'], []],
];
for (const [name, words, offers] of cases) {
  test(`bash completes ${name}`, async (t) => {
    if (spawnSync('bash', ['--version']).error !== undefined) return t.skip('bash is not here');
    assert.deepEqual(await complete(words), offers);
  });
}

test('bash completes the names of units that the agent knows', async (t) => {
  if (spawnSync('bash', ['--version']).error !== undefined) return t.skip('bash is not here');
  const { path: socket } = await startWay(t);
  const bin = path.join(await privateDirectory(t), 'bin');
  await mkdir(bin);
  await writeFile(path.join(bin, 'agentctl'), `#!/bin/sh\nexec '${process.execPath}' '${bundle}' "$@"\n`, {
    mode: 0o755,
  });
  await symlink(process.execPath, path.join(bin, 'node'));
  const { stdout: script } = await run(nobody, 'completion', 'bash');
  const line = `${script}\nCOMP_WORDS=(agentctl restart ''); COMP_CWORD=2; COMPREPLY=(); _agentctl; echo "\${COMPREPLY[@]}"`;
  // Not spawnSync: the fake agent lives in this process and must answer meanwhile.
  const { spawn } = await import('node:child_process');
  const child = spawn('bash', ['-c', line], {
    env: { PATH: `${bin}:${process.env['PATH']}`, OH_EDGE_SOCKET: socket },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout } = await finish(child);
  assert.equal(stdout, '--json --help dockerd edgecore\n');
});

test('unit names are silent where no agent runs', async () => {
  assert.deepEqual(await finish(start(nobody, ['completion', 'units'])), { code: 0, stdout: '', stderr: '' });
});

test('zsh loads its script', async (t) => {
  if (spawnSync('zsh', ['--version']).error !== undefined) return t.skip('zsh is not here');
  const { stdout } = await run(nobody, 'completion', 'zsh');
  const result = spawnSync('zsh', ['-fc', `autoload -U compinit && compinit -u\n${stdout}`], {
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, result.stderr);
});

/** What fish would offer for a line. */
async function fishOffers(line: string): Promise<string[]> {
  const { stdout } = await run(nobody, 'completion', 'fish');
  const {
    status,
    stdout: offers,
    stderr,
  } = spawnSync('fish', ['--no-config', '-c', `${stdout}\ncomplete -C '${line}'\n`], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return offers.split('\n').flatMap((offer) => (offer === '' ? [] : (offer.split('\t')[0] ?? '')));
}

const fishCases: readonly (readonly [string, string, readonly string[]])[] = [
  ['the first word', 'agentctl st', ['start', 'status', 'stop']],
  ['an option', 'agentctl logs --si', ['--since']],
  ['a word of a group', 'agentctl config k', ['keys']],
  ['a part', 'agentctl update d', ['dockerd']],
  ['the value of an option', 'agentctl shutdown --for r', ['reboot']],
  ['the file of an option', 'agentctl update --from /etc/hostn', ['/etc/hostname']],
  ['a file to check', 'agentctl config check /etc/hostn', ['/etc/hostname']],
];
for (const [name, line, offers] of fishCases) {
  test(`fish completes ${name}`, async (t) => {
    if (spawnSync('fish', ['--version']).error !== undefined)
      return t.skip('fish is not here: apt-get install fish');
    assert.deepEqual(await fishOffers(line), offers);
  });
}
