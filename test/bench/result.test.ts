import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, type Goal, missed } from '../../scripts/bench/result.ts';
import { single } from '../../scripts/bench/statistics.ts';

function measured(value: number, reference: number | undefined, goal?: Goal) {
  return evaluate({
    group: 'start',
    name: 'exec → API answers',
    unit: 'ms',
    summary: single(value),
    ...(reference === undefined ? {} : { reference: { name: 'node -e 0', summary: single(reference) } }),
    ...(goal === undefined ? {} : { goal }),
  });
}

test('a goal on the ratio compares with the reference of the same run', () => {
  const goal = { of: 'ratio', is: '<=', bound: 1.5 } as const;
  assert.equal(measured(60, 40, goal).ok, true);
  assert.equal(measured(61, 40, goal).ok, false);
  assert.equal(measured(60, 40, goal).ratio, 1.5);
  assert.equal(measured(60, 40, goal).goal, '<= 1.5 × node -e 0');
});

test('a goal on the value does not ask for a reference', () => {
  assert.equal(measured(0.1, undefined, { of: 'value', is: '<=', bound: 0.1 }).ok, true);
  assert.equal(measured(1500, undefined, { of: 'value', is: '<', bound: 1500 }).ok, false);
});

test('being ahead of a reference means at least as much', () => {
  assert.equal(measured(30, 20, { of: 'ratio', is: '>=', bound: 1 }).ok, true);
  assert.equal(measured(10, 20, { of: 'ratio', is: '>=', bound: 1 }).ok, false);
});

test('a goal whose reference could not be measured is neither reached nor missed', () => {
  const goal = { of: 'ratio', is: '<=', bound: 1.5 } as const;
  assert.equal(measured(60, undefined, goal).ok, null);
  assert.equal(measured(60, 0, goal).ok, null);
  assert.equal(measured(60, 0, goal).ratio, null);
});

test('only missed goals make a strict run fail', () => {
  const goal = { of: 'ratio', is: '<=', bound: 1 } as const;
  const results = [measured(2, 1, goal), measured(1, 1, goal), measured(9, 1), measured(9, undefined, goal)];
  assert.deepEqual(missed(results), [results[0]]);
});

test('a result survives JSON', () => {
  const result = measured(60.123456, 40, { of: 'ratio', is: '<=', bound: 1.5 });
  assert.deepEqual(JSON.parse(JSON.stringify(result)), result);
  assert.deepEqual(Object.keys(result), [
    'group',
    'name',
    'value',
    'unit',
    'spread',
    'reference',
    'ratio',
    'goal',
    'ok',
  ]);
});
