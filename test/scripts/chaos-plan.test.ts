import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dockerFiles, type Fault, faultKinds, faultText, plan } from '../../scripts/chaos/plan.ts';

/** The first so many faults of a seed. */
function faultsOf(seed: number, count: number): readonly Fault[] {
  const found: Fault[] = [];
  for (const { faults } of plan(seed)) {
    found.push(...faults);
    if (found.length >= count) break;
  }
  return found.slice(0, count);
}

test('the same seed gives the same faults, another seed others', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => assert.deepEqual(faultsOf(seed, 60), faultsOf(seed, 60))),
    { numRuns: 20 },
  );
  assert.notDeepEqual(faultsOf(1, 60).map(faultText), faultsOf(2, 60).map(faultText));
});

test('every kind of fault comes once before any comes again', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const kinds = faultsOf(seed, faultKinds.length).map(({ kind }) => kind);
      assert.deepEqual([...kinds].sort(), [...faultKinds].sort());
    }),
  );
});

test('no file of dockerd is ruined more often than it may be set aside in a day', () => {
  const ruined = faultsOf(7, 2_000).filter(({ kind }) => kind === 'spoil-docker');
  for (const name of Object.keys(dockerFiles)) {
    assert.ok(ruined.filter(({ what }) => what === name).length <= 2, name);
  }
});
