import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startOrder, stopGroups } from '../../agent/units/unit-graph.ts';

/** Graphs without circles: each unit needs only earlier ones; then they are shuffled. */
const graphs = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { maxLength: 8 }).chain((rows) => {
  const nodes = rows.map((picks, index) => ({
    name: `u${index}`,
    needs: index === 0 ? [] : [...new Set(picks.map((pick) => `u${pick % index}`))],
  }));
  return fc.shuffledSubarray(nodes, { minLength: nodes.length });
});

test('every unit comes after all that it needs, and stops before them', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const order = startOrder(nodes);
      const groups = stopGroups(nodes);
      assert.equal(order.length, nodes.length);
      assert.equal(groups.flat().length, nodes.length);
      for (const { name, needs } of nodes) {
        for (const need of needs) {
          assert.ok(order.indexOf(need) < order.indexOf(name));
          const levelOf = (unit: string): number => groups.findIndex((group) => group.includes(unit));
          assert.ok(levelOf(name) < levelOf(need));
        }
      }
    }),
  );
});

test('circles, unknown needs and double names are all told at once', () => {
  const nodes = [
    { name: 'a', needs: ['b'] },
    { name: 'b', needs: ['a', 'nobody'] },
    { name: 'c', needs: [] },
    { name: 'c', needs: [] },
  ];
  assert.throws(
    () => startOrder(nodes),
    (error: Error) => {
      assert.match(error.message, /"c" is declared twice/);
      assert.match(error.message, /"b" needs "nobody", which is no unit/);
      assert.match(error.message, /a -> b -> a/);
      return true;
    },
  );
});
