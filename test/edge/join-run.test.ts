import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;

test("the operator's edgecore.yaml keeps its own values, nonsense in it is set aside and the last good one comes back", async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  assert.equal((await rig.yaml()).modules.edgeHub.heartbeat, 0.3);
  assert.equal((await rig.yaml()).edgecoreVersion, 'v1.22.1');
  for (const broken of ['modules: [', '', 'modules:\n  edged:\n    hostnameOverr']) {
    await writeFile(rig.places.configFile, broken);
    const before = supervisor.status()[0]?.pid;
    supervisor.restartUnit('edgecore');
    await rig.until(supervisor, ({ phase, pid }) => phase === 'ready' && pid !== before);
    const yaml = await rig.yaml();
    assert.equal(yaml.modules.edgeHub.heartbeat, 0.3, broken);
    assert.equal(yaml.modules.edged.hostnameOverride, 'board-1');
  }
});

test('a new address of the same cloud needs no token', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  const moved = await edge.join(
    { cloudcore: `localhost:${rig.cloud.hubPort}`, certPort: rig.cloud.enrolPort },
    calm,
  );
  assert.equal(moved.joined, true, JSON.stringify(moved));
  assert.equal((await rig.yaml()).modules.edgeHub.websocket.server, `localhost:${rig.cloud.hubPort}`);
  assert.deepEqual(rig.cloud.issued, ['board-1']);
});

test('a second order is refused while the first is under way', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  const first = edge.join(rig.order(), calm);
  await assert.rejects(edge.join(rig.order(), calm), { code: 'UNIT_REFUSED' });
  assert.equal((await first).joined, true);
});

test('a cloud that is away alone never makes edgecore restart', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor, board } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  const pid = supervisor.status()[0]?.pid;
  await rig.cloud.setFaults({ hub: 'refuse' });
  await rig.until(supervisor, ({ phase, reason }) => phase === 'unready' && reason === 'CloudRefused');
  assert.equal(board.get('CloudConnected')?.reason, 'CloudRefused');
  assert.equal(supervisor.status()[0]?.pid, pid);
  await rig.cloud.setFaults({});
  await rig.seen('board-1');
});

test('a cloud with an IPv6 address is joined, its link is seen and its certificate fits', async (t) => {
  if (!networkInterfaces()['lo']?.some(({ address }) => address === '::1')) {
    t.skip('this machine has no IPv6 loopback');
    return;
  }
  await using rig = await EdgeRig.build('1.22.1', { address: '::1' });
  const { edge, board } = await rig.startAgent();
  const joined = await edge.join(rig.order({ cloudcore: `[::1]:${rig.cloud.hubPort}` }), calm);
  assert.equal(joined.joined, true, JSON.stringify(joined));
  assert.equal((await rig.yaml()).modules.edgeHub.websocket.server, `[::1]:${rig.cloud.hubPort}`);
  assert.equal(board.get('CloudConnected')?.status, 'true');
});

test('an order without a port takes the usual ones, and says so where nobody answers there', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge } = await rig.startAgent();
  const before = (await rig.everyFile()).map(({ file }) => file);
  const refused = await edge.join(rig.order({ cloudcore: '127.0.0.9', certPort: undefined }), calm);
  assert.equal(refused.joined, false);
  assert.match(refused.problems.map(({ message }) => message).join(' '), /10000.*10002/);
  assert.deepEqual(
    (await rig.everyFile()).map(({ file }) => file),
    before,
  );
});
