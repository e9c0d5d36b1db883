import assert from 'node:assert/strict';
import test from 'node:test';
import { startWay } from '../host/api-way.ts';
import { finish, run, startIn } from './agentctl.ts';

test('shutdown for a reboot says what had to be killed', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  assert.equal((await run(socket, 'shutdown', '--for', 'reboot', '--deadline', '5s')).code, 0);
  assert.equal(verbs.asked.shutdown?.for, 'reboot');
  const deadlineMs = verbs.asked.shutdown?.deadlineMs ?? 0;
  assert.ok(deadlineMs >= 1_000 && deadlineMs < 5_000, `${deadlineMs} ms are left of 5 s`);
  verbs.killed = ['dockerd'];
  const { code, stdout } = await run(socket, 'shutdown');
  assert.equal(code, 1);
  assert.equal(stdout, 'Stopped; killed: dockerd\n');
});

test('the deadline of a shutdown counts from when it was called, not from when the program got round to it', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const shell = startIn('read go; exec "$@"', socket, ['shutdown', '--deadline', '5m']);
  const calledMs = performance.now();
  // Something that takes its time, while the process is there and its program is not.
  await run(socket, 'version');
  const lostMs = performance.now() - calledMs;
  shell.stdin?.end('go\n');
  assert.equal((await finish(shell)).code, 0);
  const deadlineMs = verbs.asked.shutdown?.deadlineMs ?? 0;
  // The kernel counts the start of a process in hundredths of a second.
  assert.ok(deadlineMs <= 300_000 - lostMs + 50, `${deadlineMs} ms are left after ${lostMs} ms`);
});
