import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';

test('nobody may speak in place of edgecore before it is known to be gone', () => {
  const gate = new SpeakerGate();
  assert.equal(gate.tryTake(), undefined);
  gate.edgecoreEnded();
  assert.notEqual(gate.tryTake(), undefined);
});

test('edgecore waits until the speaker has let go, and the speaker is told at once', async () => {
  const gate = new SpeakerGate();
  gate.edgecoreEnded();
  const turn = gate.tryTake();
  assert.ok(turn);
  const order: string[] = [];
  turn.revoked.addEventListener('abort', () => order.push('told'));
  const started = gate.edgecoreStarts().then(() => order.push('started'));
  await Promise.resolve();
  assert.equal(gate.tryTake(), undefined);
  order.push('released');
  turn.release();
  await started;
  assert.deepEqual(order, ['told', 'released', 'started']);
});

test('only one speaker at a time', () => {
  const gate = new SpeakerGate();
  gate.edgecoreEnded();
  const turn = gate.tryTake();
  assert.equal(gate.tryTake(), undefined);
  turn?.release();
  assert.notEqual(gate.tryTake(), undefined);
});
