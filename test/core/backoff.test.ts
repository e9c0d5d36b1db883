import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffDelay } from '../../agent/core/backoff.ts';

const policy = { floorMs: 1_000, ceilingMs: 60_000 };

test('a delay lies between half the floor and the ceiling whatever chance says', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, chance) => {
        const delay = backoffDelay(failures, policy, chance);
        return delay >= 500 && delay <= 60_000;
      },
    ),
  );
});

test('the bound doubles with each failure until the ceiling', () => {
  const bounds = [1, 2, 3, 4, 7, 8, 40].map((failures) => backoffDelay(failures, policy, 1));
  assert.deepEqual(bounds, [1_000, 2_000, 4_000, 8_000, 60_000, 60_000, 60_000]);
});

test('the lowest delay stays at half the floor so that restarts spread out', () => {
  assert.equal(backoffDelay(9, policy, 0), 500);
});
