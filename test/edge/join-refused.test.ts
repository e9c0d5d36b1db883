import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;

test('what cannot work is said at once, all of it, and nothing is changed', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  const before = (await rig.everyFile()).map(({ file, text }) => [file, text]);
  const document = await edge.join(
    { cloudcore: 'https://x', token: 'a.b', nodeName: 'Board', labels: { 'a b': 'c' }, nonsense: 1 },
    calm,
  );
  assert.equal(document.joined, false);
  assert.match(document.problems.map(({ message }) => message).join('\n'), /"nonsense": is not known/);
  const typed = await edge.join(
    { cloudcore: 'https://x', token: 'a.b', nodeName: 'Board', labels: { 'a b': 'c' } },
    calm,
  );
  const fields = typed.problems.map(({ message }) => /"(\w+)"/.exec(message)?.[1]);
  assert.deepEqual(
    [...fields].sort((a, b) => String(a).localeCompare(String(b))),
    ['cloudcore', 'labels', 'nodeName', 'token'],
  );
  await using other = await EdgeRig.build('1.22.1');
  const wrong = await edge.join(rig.order({ token: other.cloud.token(), nodeName: 'localhost' }), calm);
  assert.match(wrong.problems[0]?.message ?? '', /every board/);
  const foreign = await edge.join(rig.order({ token: other.cloud.token() }), calm);
  assert.deepEqual(
    foreign.problems.map(({ reason }) => reason),
    ['WrongAuthority'],
  );
  const late = await edge.join(rig.order({ token: rig.cloud.token(-7_200_000) }), calm);
  assert.deepEqual(
    late.problems.map(({ reason }) => reason),
    ['TokenExpired'],
  );
  const without = await edge.join(rig.order({ token: undefined }), calm);
  assert.deepEqual(
    without.problems.map(({ reason }) => reason),
    ['TokenMissing'],
  );
  await rig.cloud.setFaults({ enrol: 'refuse', hub: 'refuse' });
  const closed = await edge.join(rig.order(), calm);
  assert.deepEqual(
    closed.problems.map(({ reason }) => reason),
    ['CloudRefused', 'CloudRefused'],
  );
  await rig.cloud.setFaults({ server: 'wrong-name' });
  assert.deepEqual(
    (await edge.join(rig.order(), calm)).problems.map(({ reason }) => reason),
    ['CloudNameMismatch'],
  );
  await rig.cloud.setFaults({ server: 'expired' });
  assert.deepEqual(
    (await edge.join(rig.order(), calm)).problems.map(({ reason }) => reason),
    ['CloudCertificateExpired'],
  );
  await rig.cloud.setFaults({});
  rig.cloud.store.put('node', { namespace: '', name: 'board-1' }, {});
  assert.deepEqual(
    (await edge.join(rig.order(), calm)).problems.map(({ reason }) => reason),
    ['NodeNameTaken'],
  );
  const after = (await rig.everyFile()).map(({ file, text }) => [file, text]);
  assert.deepEqual(after, before);
});

test('a dry run shows the steps without secrets and does none', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  const before = (await rig.everyFile()).length;
  const token = rig.cloud.token();
  const document = await edge.join(rig.order({ token, dryRun: true }), calm);
  assert.equal(document.dryRun, true);
  assert.deepEqual(
    document.steps.map(({ kind }) => kind).filter((kind) => kind !== 'make-directory'),
    [
      'write-config',
      'write-token',
      'copy-file',
      'copy-file',
      'copy-file',
      'copy-file',
      'write-file',
      'write-record',
      'start-edgecore',
    ],
  );
  assert.ok(!JSON.stringify(document).includes(token.slice(70)));
  assert.equal((await rig.everyFile()).length, before);
  assert.equal(edge.status().joined, false);
});

test('a token that the cloud refuses takes everything back and says why', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await rig.startAgent();
  const before = (await rig.everyFile())
    .filter(({ file }) => !file.includes('/log/'))
    .map(({ file, text }) => [file, text]);
  const [hash, head, claims] = rig.cloud.token().split('.');
  const document = await edge.join(rig.order({ token: `${hash}.${head}.${claims}.c2lnbmF0dXJl` }), calm);
  assert.equal(document.joined, false);
  assert.equal(document.outcome?.reason, 'TokenRejected', JSON.stringify(document.outcome));
  assert.match(document.outcome?.message ?? '', /fresh token.*Everything is as it was before/);
  assert.equal(supervisor.status()[0]?.phase, 'down');
  assert.equal(edge.status().joined, false);
  const kept = (await rig.everyFile()).filter(({ file }) => !/\/log\/|\/bin\/|net\.d|units/.test(file));
  assert.deepEqual(
    kept.map(({ file, text }) => [file, text]),
    before,
  );
});
