import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupBudget } from '../../agent/units/shutdown.ts';
import { FakeUnit } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const killed = { how: 'signalled', signal: 'SIGKILL' } as const;

test('shutdown stops dependents first and says who had to be killed', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([
    new FakeUnit('dockerd'),
    new FakeUnit('edgecore', { needs: ['dockerd'] }),
  ]);
  const [dockerd, edgecore] = bench.processes.living;
  if (edgecore !== undefined) edgecore.onTerm = 'ignores';
  const done = supervisor.shutdown({ totalMs: 8_000 });
  await bench.clock.advance(3_000);
  assert.deepEqual(dockerd?.signals, []);
  await bench.clock.advance(5_000);
  assert.deepEqual(
    (await done).map(({ unit, result }) => [unit, result]),
    [
      ['edgecore', 'killed'],
      ['dockerd', 'ended'],
    ],
  );
  assert.equal(bench.processes.living.length, 0);
});

test('the end of the last unit is told before the end of the shutdown', async () => {
  const bench = new UnitBench();
  const { supervisor, board } = await bench.start([new FakeUnit('worker')]);
  const { sequence } = board;
  const done = supervisor.shutdown({ totalMs: 8_000 });
  await bench.clock.advance(1_000);
  await done;
  await bench.clock.advance(0);
  assert.deepEqual(
    board.eventsAfter(sequence).map(({ event }) => event),
    [
      'unit.changed',
      'condition.changed',
      'unit.signalled',
      'unit.ended',
      'unit.changed',
      'condition.changed',
      'units.shut-down',
    ],
  );
});

test('what a group does not need goes to the later ones, and where time is short all get a share', () => {
  assert.equal(groupBudget(60_000, [10_000, 30_000]), 10_000);
  assert.equal(groupBudget(15_000, [10_000, 30_000]), 7_500);
  assert.equal(groupBudget(15_000, [30_000]), 15_000);
  assert.equal(groupBudget(35_000, [10_000, 30_000]), 10_000);
  assert.equal(groupBudget(0, [10_000]), 0);
});

test('a shutdown never takes longer than its budget, even when a process is stuck in the kernel', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('dockerd')]);
  const process = bench.processes.living[0];
  if (process !== undefined) Object.assign(process, { onTerm: 'ignores', isStuck: true });
  const done = supervisor.shutdown({ totalMs: 3_000 });
  await bench.clock.advance(3_000);
  const [report] = await done;
  assert.equal(report?.result, 'left');
  assert.ok((report?.durationMs ?? 0) <= 3_000);
});

test('a shutdown waits for a process that is just being started, and ends it within the budget', async () => {
  const bench = new UnitBench();
  bench.processes.onTerm = 'ignores';
  const worker = new FakeUnit('worker');
  const { supervisor } = await bench.start([worker], 0);
  const spawn = bench.processes.holdSpawn();
  bench.processes.end(bench.processes.living[0]?.pid ?? 0, killed);
  await bench.clock.advance(100);
  const done = supervisor.shutdown({ totalMs: 3_000 });
  await bench.clock.advance(1_000);
  spawn.release();
  await bench.clock.advance(2_000);
  assert.deepEqual(
    (await done).map(({ result }) => result),
    ['killed'],
  );
  assert.equal(bench.processes.living.length, 0);
});
