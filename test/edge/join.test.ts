import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earliestTimeMs } from '../../agent/core/constants.ts';
import { HttpsDate } from '../../agent/host/https-date.ts';
import { patience } from '../fakes/patience.ts';
import { conditionOf } from '../standins/cloudhub/store.ts';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;
const node = (rig: EdgeRig, name = 'board-1') => rig.cloud.store.get('node', { namespace: '', name });

test('a board joins, is a Ready node, is taken over by the next agent, joins under another name and leaves', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const first = await rig.startAgent();
  assert.equal(first.board.get('EdgecoreReady'), undefined);
  assert.deepEqual(first.edge.timeSources, [], 'no cloud was joined, none is asked for the time');
  const joined = await first.edge.join(rig.order({ labels: { room: 'lab' } }), calm);
  assert.deepEqual(joined.problems, []);
  assert.equal(joined.outcome?.reason, 'Connected', JSON.stringify(joined));
  assert.equal(joined.joined, true);
  await rig.cloud.store.until(
    () => conditionOf(node(rig), 'Ready')?.['status'] === 'True' || undefined,
    patience(),
  );
  assert.match(JSON.stringify(node(rig)), /"room":"lab"/);
  assert.equal(first.board.get('CloudConnected')?.status, 'true');
  assert.deepEqual(first.edge.status().node, 'board-1');
  const pid = first.supervisor.status()[0]?.pid;
  await rig.stopAgent();

  const second = await rig.startAgent();
  const [source = '', ...others] = second.edge.timeSources;
  assert.deepEqual(others, []);
  assert.ok(((await new HttpsDate().dateOf(source)) ?? 0) > earliestTimeMs, `${source} tells the time`);
  assert.equal(second.supervisor.status()[0]?.pid, pid);
  assert.equal(second.supervisor.status()[0]?.adopted, true);
  const renamed = await second.edge.join(rig.order({ nodeName: 'board-2' }), calm);
  assert.equal(renamed.joined, true, JSON.stringify(renamed));
  await rig.seen('board-2');
  assert.deepEqual(rig.cloud.nodes(), ['board-2']);

  const left = await second.edge.leave({ removesPods: false, removesImages: false, isDryRun: false }, calm);
  assert.equal(left.left, true);
  await rig.cloud.store.until(() => rig.cloud.nodes().length === 0 || undefined, patience());
  assert.equal(second.edge.status().joined, false);
  assert.equal(second.board.get('EdgecoreReady'), undefined);
  const names = (await rig.everyFile()).map(({ file }) => file);
  assert.ok(!names.some((name) => /server\.(crt|key)$|rootCA|edgecore\.yaml$/.test(name)), names.join('\n'));
});
