import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRecord, encodeRecord } from '../../agent/units/adoption-record.ts';
import { FakeUnit } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const records = fc.record(
  {
    identity: fc.record(
      {
        pid: fc.integer({ min: 2, max: 4_194_304 }),
        startTicks: fc.maxSafeNat(),
        bootId: fc.uuid(),
        exe: fc.string({ minLength: 1 }).map((name) => `/${name}`),
      },
      { noNullPrototype: true },
    ),
    startedAtMs: fc.maxSafeNat(),
  },
  { noNullPrototype: true },
);

test('a record reads back as it was written', () => {
  fc.assert(
    fc.property(records, (record) => {
      assert.deepEqual(decodeRecord('worker', encodeRecord('worker', record)), record);
    }),
  );
});

test('the record of another unit or another version is not read', () => {
  fc.assert(
    fc.property(records, (record) => {
      const text = encodeRecord('worker', record);
      assert.equal(decodeRecord('other', text), undefined);
      assert.equal(decodeRecord('worker', text.replace('"version":1', '"version":2')), undefined);
    }),
  );
});

test('a record that a power cut tore is never half believed', () => {
  fc.assert(
    fc.property(records, fc.nat(), (record, at) => {
      const text = encodeRecord('worker', record).trimEnd();
      const torn = text.slice(0, at % text.length);
      assert.equal(decodeRecord('worker', torn), undefined);
      assert.equal(decodeRecord('worker', torn.padEnd(text.length, '\0')), undefined);
    }),
  );
});

test('whatever a record holds, the unit runs exactly once and no stranger gets a signal', async () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record({
        version: fc.constantFrom(1, 2),
        unit: fc.constantFrom('worker', 'x'),
        pid: fc.oneof(fc.integer({ min: -5, max: 110 }), fc.string()),
        startTicks: fc.oneof(fc.constantFrom(1_000, 1_010), fc.double()),
        bootId: fc.constantFrom('boot-1', 'boot-2'),
        exe: fc.constantFrom('/bin/worker', '/bin/init', ''),
        startedAtMs: fc.oneof(fc.integer(), fc.constant(null)),
      })
      .map((value) => JSON.stringify(value)),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const bench = new UnitBench();
      const stranger = bench.processes.add({ argv: ['/bin/init'] });
      bench.disk.files.set('/state/units/worker.json', text);
      const { supervisor } = await bench.start([new FakeUnit('worker')]);
      assert.equal(supervisor.status()[0]?.phase, 'ready');
      supervisor.stopUnit('worker');
      await bench.clock.advance(1_000);
      assert.deepEqual(
        bench.processes.living.map(({ pid }) => pid),
        [stranger.pid],
      );
      assert.deepEqual(stranger.signals, []);
      await supervisor.stop();
    }),
    { numRuns: 150 },
  );
});

test('a record that cannot be read just now is left alone, and nothing is started beside the process it speaks of', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  await (await bench.start([worker])).supervisor.stop();
  const file = '/state/units/worker.json';
  for (const errno of ['EIO', 'EMFILE', 'EACCES', 'ENOMEM']) {
    bench.disk.refuseReading(file, errno);
    // Its program has another name by now, so only the record tells which process it is.
    const { supervisor, board } = bench.agent([
      Object.assign(new FakeUnit('worker'), { programs: ['/bin/new'] }),
    ]);
    const started = supervisor.start(new AbortController().signal);
    await bench.clock.advance(5_000);
    assert.match(board.get('WorkerReady')?.message ?? '', new RegExp(`${errno}.*tried again`));
    assert.equal(bench.processes.living.length, 1, errno);
    bench.disk.allowReading(file);
    await bench.clock.advance(10_000);
    await started;
    assert.deepEqual([supervisor.status()[0]?.adopted, bench.processes.living.length], [true, 1], errno);
    await supervisor.stop();
  }
  assert.deepEqual(await bench.disk.list('/state/units'), ['worker.json']);
});

test('a record that stays unreadable does not keep its unit down for ever', async () => {
  const bench = new UnitBench();
  bench.disk.refuseReading('/state/units/worker.json', 'EIO');
  const { supervisor } = bench.agent([new FakeUnit('worker')]);
  void supervisor.start(new AbortController().signal);
  await bench.clock.advance(120_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
  assert.equal(bench.processes.living.length, 1);
  await supervisor.stop();
});
