import assert from 'node:assert/strict';
import test from 'node:test';
import { VirtualClock } from '../../scripts/fleet/virtual-clock.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test('timers fire in the order of their time, at their time, whatever the order they were set in', async () => {
  const clock = new VirtualClock(turns);
  const fired: [number, number][] = [];
  const delays = Array.from({ length: 500 }, (_, index) => (index * 7_919) % 10_007);
  for (const ms of delays) clock.after(ms, () => fired.push([ms, clock.nowMs()]));
  await clock.advance(20_000);
  assert.deepEqual(
    fired.map(([ms]) => ms),
    [...delays].sort((a, b) => a - b),
  );
  assert.ok(fired.every(([ms, atMs]) => ms === atMs));
  assert.equal(clock.nowMs(), 20_000);
});

test('a timer that was cancelled does not fire, and one that is set on the way does', async () => {
  const clock = new VirtualClock(turns);
  const fired: string[] = [];
  const cancel = clock.after(10, () => fired.push('cancelled'));
  clock.after(5, () => {
    fired.push('first');
    cancel();
    clock.after(100, () => fired.push('second'));
  });
  await clock.advance(1_000);
  assert.deepEqual(fired, ['first', 'second']);
});

test('a sleeper wakes at its time, or with the reason of its signal', async () => {
  const clock = new VirtualClock(turns);
  const over = new AbortController();
  const slept = clock.sleep(50, new AbortController().signal).then(() => clock.nowMs());
  const aborted = assert.rejects(clock.sleep(1_000, over.signal), /enough/);
  await clock.advance(60);
  over.abort(new Error('enough'));
  await aborted;
  assert.equal(await slept, 50);
});
