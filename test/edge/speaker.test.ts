import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { test } from 'node:test';
import { patience } from '../fakes/patience.ts';
import { conditionOf } from '../standins/cloudhub/store.ts';
import { EdgeRig, type RigAgent } from './edge-rig.ts';

const calm = new AbortController().signal;

/** Resolves when the Node object of the stand-in cloud says so about edgecore; undefined is no such condition. */
async function nodeSays(rig: EdgeRig, wanted: string | undefined): Promise<void> {
  const condition = () =>
    conditionOf(rig.cloud.store.get('node', { namespace: '', name: 'board-1' }), 'EdgecoreReady');
  await rig.cloud.store.until(() => condition()?.['status'] === wanted || undefined, patience());
}

async function stopEdgecore(rig: EdgeRig, { supervisor }: RigAgent): Promise<void> {
  supervisor.stopUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'down');
}

test('an edgecore that an earlier agent left is known to speak, and its release is found again', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const first = await rig.startAgent();
  assert.equal(first.gate.isFree, true);
  await first.edge.join(rig.order(), calm);
  assert.deepEqual([first.gate.isFree, first.gate.isEdgecoreRunning], [false, true]);
  await rig.stopAgent();
  const second = await rig.startAgent();
  assert.equal(second.gate.isEdgecoreRunning, true);
  await rig.until(second.supervisor, ({ phase }) => phase === 'ready');
  const late = patience();
  while (second.edge.status().kubeedge === undefined) {
    late.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(second.edge.status().kubeedge, 'v1.22.1');
  await stopEdgecore(rig, second);
  assert.equal(second.gate.isFree, true);
  await rig.stopAgent();
});

test('a cloud that hears the node alone hears the agent for an edgecore that cannot be started, after a restart of the agent too', async () => {
  await using rig = await EdgeRig.build('1.22.1', { isEnforced: true });
  const first = await rig.startAgent({ reports: true });
  await first.edge.join(rig.order(), calm);
  await stopEdgecore(rig, first);
  await nodeSays(rig, 'False');
  first.supervisor.startUnit('edgecore');
  await rig.until(first.supervisor, ({ phase }) => phase === 'ready');
  await nodeSays(rig, undefined);
  await stopEdgecore(rig, first);
  await rig.stopAgent();
  const name = { namespace: '', name: 'board-1' };
  rig.cloud.store.put('node', name, { ...rig.cloud.store.get('node', name), status: { conditions: [] } });
  await rename(`${rig.home}/kubeedge/edgecore`, `${rig.home}/kubeedge/gone`);
  const second = await rig.startAgent({ reports: true });
  await rig.until(second.supervisor, ({ phase }) => phase === 'failed');
  assert.equal(second.gate.isFree, true);
  await nodeSays(rig, 'False');
});

test('leaving takes our conditions off the Node where the cloud hears one session of a node only', async () => {
  await using rig = await EdgeRig.build('1.22.1', { isEnforced: true });
  const agent = await rig.startAgent({ reports: true });
  await agent.edge.join(rig.order(), calm);
  await stopEdgecore(rig, agent);
  await nodeSays(rig, 'False');
  const left = await agent.edge.leave({ removesPods: false, removesImages: false, isDryRun: false }, calm);
  assert.equal(left.left, true);
  assert.ok(!left.hints.join().includes('could not'), left.hints.join('\n'));
  await nodeSays(rig, undefined);
});
