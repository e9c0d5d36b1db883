import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { AgentError } from '../../agent/core/agent-error.ts';
import { startWay } from '../host/api-way.ts';
import { run } from './agentctl.ts';

const sum = 'a1'.repeat(32);

test('an update names the file as the agent understands it, and says what is used now', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const args = ['update', 'dockerd', '--from', 'docker.tgz', '--sha256', sum, '--version', '27.5.1'];
  const { code, stdout, stderr } = await run(socket, ...args);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  const file = path.resolve('docker.tgz');
  assert.deepEqual(verbs.updateOrder, { file, sha256: sum, version: '27.5.1', isDryRun: false });
  assert.match(stdout, /^dockerd: aarch64, 64 bits, static\ndockerd 27\.5\.1\n/);
  assert.match(stdout, /^dockerd is 27\.5\.1-0123456789ab now; before: the image's$/m);
});

test('an update that was taken back answers no and says why', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const image = verbs.updateDocument.from;
  const outcome = { reason: 'CrashLoop', message: 'dockerd failed 5 times in a row' };
  verbs.updateDocument = { ...verbs.updateDocument, ok: false, to: image, notes: [], outcome };
  const { code, stdout } = await run(socket, 'update', 'dockerd', '--from', '/data/docker.tgz');
  assert.equal(code, 1);
  assert.equal(stdout, "dockerd was taken back to the image's: CrashLoop: dockerd failed 5 times in a row\n");
});

test('a unit that rests leaves the verdict open', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const outcome = { reason: 'Resting', message: 'It is in place and has to prove itself when it runs' };
  verbs.updateDocument = { ...verbs.updateDocument, phase: 'watching', notes: [], outcome };
  const { code, stdout } = await run(socket, 'update', 'dockerd', '--from', '/data/docker.tgz');
  assert.equal(code, 0);
  assert.match(stdout, /is 27\.5\.1-0123456789ab and on trial: It is in place/);
});

test('a dry run says that nothing was changed', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const { code, stdout } = await run(socket, 'update', 'dockerd', '--from', '/data/d', '--dry-run');
  assert.equal(code, 0);
  assert.equal(verbs.updateOrder?.isDryRun, true);
  assert.match(stdout, /Would update dockerd from the image's to 27\.5\.1-0123456789ab; nothing was changed/);
});

test('a refusal is exit code 4 with its cure', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  verbs.failure = new AgentError(
    'PART_REFUSED',
    'Cannot take "/data/d": its SHA-256 is 12, want 34; take another copy',
  );
  const { code, stdout, stderr } = await run(socket, 'update', 'dockerd', '--from', '/data/d');
  assert.equal(code, 4);
  assert.equal(stdout, '');
  assert.match(
    stderr,
    /^agentctl: Cannot take "\/data\/d": its SHA-256 is 12, want 34; take another copy\n$/,
  );
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['update'], /want a part and --from FILE, or --list/],
  [['update', 'dockerd'], /want a part and --from FILE/],
  [['update', 'kubelet', '--from', '/x'], /Allowed choices are dockerd, edgecore, agent/],
  [['update', 'dockerd', '--from', '/x', '--sha256', 'abc'], /sha256 is "abc", want 64 hexadecimal digits/],
  [
    ['update', 'dockerd', '--from', '/x', '--version', 'new'],
    /version is "new", want a version such as 27\.5\.1/,
  ],
  [['rollback'], /missing required argument/],
];
for (const [args, says] of wrong) {
  test(`"${args.join(' ')}" is wrong use`, async (t) => {
    const { path: socket } = await startWay(t);
    const { code, stderr } = await run(socket, ...args);
    assert.match(stderr, says);
    assert.equal(code, 2);
  });
}

test('--list shows what is in use, what it can go back to and what was taken back', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const rejected = {
    slot: '28.0.1-ba9876543210',
    atMs: Date.UTC(2025, 0, 1),
    reason: 'CrashLoop',
    message: 'it ended',
  };
  const { to, from } = verbs.updateDocument;
  verbs.partView = { part: 'dockerd', phase: 'settled', current: to, former: from, rejected };
  const { code, stdout } = await run(socket, 'update', '--list');
  assert.equal(code, 0);
  assert.match(stdout, /^part +in use +before +state$/m);
  assert.match(
    stdout,
    /^dockerd +27\.5\.1-0123456789ab +the image's +settled; .* 28\.0\.1-ba9876543210 taken back: CrashLoop: it ended$/m,
  );
  const { stdout: json } = await run(socket, 'update', '--list', '--json');
  assert.deepEqual(JSON.parse(json), { parts: [verbs.partView] });
});

test('an update of the agent waits for the verdict of the next one', async (t) => {
  const { path: socket, verbs } = await startWay(t);
  const outcome = { reason: 'Restarting', message: 'The agent starts anew and has to prove itself' };
  verbs.updateDocument = { ...verbs.updateDocument, part: 'agent', phase: 'switching', notes: [], outcome };
  verbs.partView = { part: 'agent', phase: 'settled', current: verbs.updateDocument.to };
  const good = await run(socket, 'update', 'agent', '--from', '/data/agent.js');
  assert.equal(good.code, 0);
  assert.match(good.stderr, /the agent starts anew; waiting for its verdict/);
  assert.match(good.stdout, /^agent is 27\.5\.1-0123456789ab now/);
  const rejected = { slot: 'x', atMs: 0, reason: 'NeverConfirmed', message: 'it was started twice' };
  verbs.partView = { part: 'agent', phase: 'settled', current: verbs.updateDocument.from, rejected };
  const bad = await run(socket, 'update', 'agent', '--from', '/data/agent.js', '--json');
  assert.equal(bad.code, 1);
  const { ok, outcome: verdict } = JSON.parse(bad.stdout) as { ok: boolean; outcome: { reason: string } };
  assert.deepEqual([ok, verdict.reason], [false, 'NeverConfirmed']);
  assert.equal(bad.stderr, '');
});

test('rollback says what is used now', async (t) => {
  const { path: socket } = await startWay(t);
  const { code, stdout } = await run(socket, 'rollback', 'dockerd');
  assert.equal(code, 0);
  assert.match(stdout, /dockerd is 27\.5\.1-0123456789ab now/);
});
