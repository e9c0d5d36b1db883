import assert from 'node:assert/strict';
import test from 'node:test';
import { sparkline, spreadOf } from '../../scripts/fleet/rates.ts';

test('the mean is that of the window, the peak that of the busiest bin', () => {
  const moments = [900, 1_000, 1_100, 1_200, 6_500, 59_000];
  const spread = spreadOf(moments, { fromMs: 1_000, windowMs: 60_000, binMs: 5_000 });
  assert.deepEqual(spread, { count: 5, mean: 5 / 60, peak: 3 / 5, lastSeconds: 58 });
});

test('a fleet that says nothing has no peak', () => {
  assert.deepEqual(spreadOf([], { fromMs: 0, windowMs: 1_000, binMs: 100 }), {
    count: 0,
    mean: 0,
    peak: 0,
    lastSeconds: 0,
  });
});

test('the picture has 60 places and shows moments outside of the window nowhere', () => {
  const picture = sparkline([-1, 0, 59, 60], 0, 60);
  assert.equal(picture.length, 60);
  assert.equal(picture, `█${' '.repeat(58)}█`);
});
