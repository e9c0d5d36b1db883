import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeUnit } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const killed = { how: 'signalled', signal: 'SIGKILL' } as const;

test('nothing is told of an end before the successor runs', async () => {
  const bench = new UnitBench();
  const { board } = await bench.start([new FakeUnit('worker')]);
  const first = bench.processes.living[0]?.pid;
  const told: (readonly [string, boolean])[] = [];
  board.watch(({ event }) => told.push([event, bench.processes.living.some(({ pid }) => pid !== first)]));
  bench.processes.end(first ?? 0, killed);
  await bench.clock.advance(0);
  assert.deepEqual(
    told.map(([event]) => event),
    ['unit.ended', 'unit.changed', 'condition.changed', 'unit.changed', 'unit.spawned', 'unit.changed'],
  );
  assert.ok(told.every(([, hasSuccessor]) => hasSuccessor));
});

test('how a unit ended is known as soon as its state says that it did', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  const first = bench.processes.living[0]?.pid;
  const seen: (string | undefined)[] = [];
  supervisor.watch(() => {
    const [status] = supervisor.status();
    if (status?.pid !== first) seen.push(status?.lastEnd?.how);
  });
  bench.processes.end(first ?? 0, killed);
  await bench.clock.advance(0);
  assert.deepEqual([...new Set(seen)], ['signalled SIGKILL']);
});

test('that the supervision cannot begin stays on the board of a unit that was looked at just before', async () => {
  const bench = new UnitBench();
  const capture = bench.logs.capture.bind(bench.logs);
  bench.logs.capture = (unit) => {
    bench.logs.trouble = unit === 'edgecore' ? 'EMFILE' : undefined;
    return capture(unit);
  };
  const { supervisor, board } = bench.agent([new FakeUnit('dockerd'), new FakeUnit('edgecore')]);
  const leave = new AbortController();
  const started = supervisor.start(leave.signal);
  await bench.clock.advance(100);
  assert.deepEqual(
    ['DockerdReady', 'EdgecoreReady'].map((type) => board.get(type)?.reason),
    ['CannotBegin', 'CannotBegin'],
  );
  leave.abort();
  await assert.rejects(started, { name: 'AbortError' });
});
