import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRowWanted, wordsOf } from '../../scripts/bench/benchmark.ts';

const steady = { name: 'steady', groups: ['memory', 'idle'], wider: ['supervise'] };

test('a group of rows chooses only those rows', () => {
  assert.equal(isRowWanted(steady, 'memory', ['memory']), true);
  assert.equal(isRowWanted(steady, 'idle', ['memory']), false);
});

test('the name and a wider word choose all rows of a benchmark', () => {
  assert.equal(isRowWanted(steady, 'idle', ['steady']), true);
  assert.equal(isRowWanted(steady, 'idle', ['supervise']), true);
});

test('without a word every row is wanted', () => {
  assert.equal(isRowWanted(steady, 'idle', []), true);
  assert.deepEqual(wordsOf(steady), ['steady', 'memory', 'idle', 'supervise']);
});
