import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { patience } from '../fakes/patience.ts';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;

for (const version of ['1.22.1', '1.15.2', '1.12.6']) {
  test(`${version}: the token is nowhere once the node has its certificate`, async () => {
    await using rig = await EdgeRig.build(version);
    const { edge, log, supervisor, board } = await rig.startAgent();
    const token = rig.cloud.token();
    const joined = await edge.join(rig.order({ token }), calm);
    assert.equal(joined.joined, true, JSON.stringify(joined));
    await rig.seen('board-1');
    const secret = token.slice(70);
    for (const { file, text } of await rig.everyFile())
      assert.ok(!text.includes(secret), `${version} ${file}`);
    const said = JSON.stringify([
      joined,
      log.lines,
      supervisor.status(),
      board.conditions(),
      board.eventsAfter(0),
      edge.status(),
    ]);
    assert.ok(!said.includes(secret), version);
    const pid = supervisor.status()[0]?.pid ?? 0;
    assert.ok(!(await readFile(`/proc/${pid}/cmdline`, 'latin1')).includes(secret));
    assert.ok(!(await readFile(`/proc/${pid}/environ`, 'latin1')).includes(secret));
  });
}

for (const [version, place] of [
  ['1.22.1', 'bootstrap-edgecore.conf'],
  ['1.12.6', 'edgecore.yaml'],
] as const) {
  test(`${version}: while it waits to be used the token lies in ${place} alone, for root alone`, async () => {
    await using rig = await EdgeRig.build(version);
    const { edge, supervisor } = await rig.startAgent();
    await rig.fault({ hang: true });
    const token = rig.cloud.token();
    const over = new AbortController();
    const join = edge.join(rig.order({ token }), over.signal);
    await rig.until(supervisor, ({ pid }) => pid !== undefined);
    const holders = (await rig.everyFile()).filter(({ text }) => text.includes(token.slice(70)));
    over.abort();
    await assert.rejects(join, { name: 'AbortError' });
    assert.deepEqual(
      holders.map(({ file, mode }) => [file.split('/').at(-1), mode]),
      [[place, 0o600]],
    );
  });
}

test('the token stays until the certificate is whole, and the key is for root alone then', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  supervisor.stopUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'down');
  const { bootstrapFile, certFile, keyFile } = rig.places;
  const whole = await readFile(certFile, 'utf8');
  const hasToken = () =>
    readFile(bootstrapFile, 'utf8').then(
      () => true,
      () => false,
    );
  for (const ruined of ['', whole.slice(0, 200)]) {
    await writeFile(certFile, ruined);
    await writeFile(bootstrapFile, rig.cloud.token(), { mode: 0o600 });
    await edge.unit.probe('cheap', calm);
    assert.equal(await hasToken(), true, ruined);
  }
  await writeFile(certFile, whole);
  await edge.unit.probe('cheap', calm);
  assert.deepEqual([await hasToken(), await readFile(certFile, 'utf8')], [false, whole]);
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
});

test('a join file that was pushed for all to read is for root alone while it waits for the cloud', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  await rig.cloud.setFaults({ enrol: 'refuse', hub: 'refuse' });
  const order = JSON.stringify(rig.order());
  await writeFile(rig.places.joinFile, order, { mode: 0o666 });
  await chmod(rig.places.joinFile, 0o666);
  const { board } = await rig.startAgent();
  const late = patience();
  while (board.get('JoinedByFile') === undefined) {
    late.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(board.get('JoinedByFile')?.reason, 'CloudRefused');
  assert.equal((await stat(rig.places.joinFile)).mode & 0o777, 0o600);
  assert.equal(await readFile(rig.places.joinFile, 'utf8'), order);
});

test('a malformed token that edgecore would print does not come into any log', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, log, supervisor, board } = await rig.startAgent();
  const token = rig.cloud.token();
  const secret = token.slice(70);
  await rig.fault({
    exit: {
      code: 2,
      afterMs: 0,
      lines: [
        `panic: failed to apply the edge certs, err: token ${token} credentials are in the wrong format`,
      ],
    },
  });
  const document = await edge.join(rig.order({ token }), calm);
  assert.equal(document.joined, false);
  assert.equal(document.outcome?.reason, 'TokenMalformed', JSON.stringify(document));
  for (const { file, text } of await rig.everyFile()) {
    assert.ok(file.endsWith('faults.json') || !text.includes(secret), file);
  }
  assert.ok(
    !JSON.stringify([document, log.lines, supervisor.status(), board.eventsAfter(0)]).includes(secret),
  );
});
