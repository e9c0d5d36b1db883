import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quantile, summarize, summarizeTail } from '../../scripts/bench/statistics.ts';

const samples = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
  minLength: 1,
});

test('the median of an even number of samples lies between the two in the middle', () => {
  assert.equal(summarize([4, 1, 3, 2]).median, 2.5);
});

test('the order of the samples does not matter', () => {
  fc.assert(
    fc.property(samples, (values) => {
      assert.deepEqual(summarize(values), summarize([...values].sort((a, b) => b - a)));
    }),
  );
});

test('every quantile lies between the smallest and the largest sample, and they do not fall', () => {
  fc.assert(
    fc.property(samples, (values) => {
      const { min, q1, median, q3, max } = summarize(values);
      const steps = [Math.min(...values), min, q1, median, q3, max, Math.max(...values)];
      for (const [index, step] of steps.slice(1).entries()) assert.ok(step >= steps[index]! - 1e-6);
    }),
  );
});

test('one slow answer in a hundred shows in the tail and not in the median', () => {
  const times = [...Array.from({ length: 98 }, () => 1), 50, 50];
  assert.equal(summarize(times).median, 1);
  assert.equal(summarizeTail(times).median, 50);
});

test('a series without samples has no quantile', () => {
  assert.throws(() => quantile([], 0.5), RangeError);
});
