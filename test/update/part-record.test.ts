import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePartRecord, encodePartRecord, type PartRecord } from '../../agent/update/part-record.ts';

const slot = fc.stringMatching(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,40}$/);
const word = fc.stringMatching(/^[A-Za-z]{1,20}$/);
const text = fc.stringMatching(/^([a-z"':;]{1,8}( [a-z"':;]{1,8}){0,5})?$/);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

const records: fc.Arbitrary<PartRecord> = fc.record(
  {
    current: slot,
    former: maybe(slot),
    older: maybe(slot),
    phase: fc.constantFrom('settled', 'switching', 'watching', 'reverting'),
    boot: fc.oneof(fc.constant(''), fc.uuid()),
    boots: fc.nat(),
    sinceMs: fc.nat(),
    goal: fc.array(word),
    base: fc.oneof(fc.constant(''), fc.constant('123:456')),
    rejected: maybe(
      fc.record({ slot, atMs: fc.nat(), reason: word, message: text }, { noNullPrototype: true }),
    ),
  },
  { noNullPrototype: true },
);

test('a record reads back as it was written', () => {
  fc.assert(
    fc.property(records, (record) => assert.deepEqual(decodePartRecord(encodePartRecord(record)), record)),
  );
});

test('a record that lost its end is none', () => {
  fc.assert(
    fc.property(records, fc.nat(), (record, at) => {
      const whole = encodePartRecord(record);
      assert.equal(decodePartRecord(whole.slice(0, at % whole.length)), undefined);
    }),
  );
});

test('whatever the file holds, a slot that is read from it never leads out of its folder', () => {
  const lines = fc.array(fc.tuple(fc.constantFrom('current', 'former', 'older', 'phase', 'x'), fc.string()));
  fc.assert(
    fc.property(lines, (pairs) => {
      const body = pairs.map(([key, value]) => `${key} ${value}\n`).join('');
      const record = decodePartRecord(`oh-edge-part 1\n${body}end\n`);
      for (const name of [record?.current, record?.former, record?.older]) {
        assert.ok(name === undefined || /^[0-9A-Za-z][0-9A-Za-z.+_-]*$/.test(name), name);
      }
    }),
  );
});

test('a message of many lines cannot add a line to the record', () => {
  const rejected = { slot: 'a', atMs: 1, reason: 'Bad', message: 'first\ncurrent ../../etc\nend' };
  const text = encodePartRecord({ ...(decodePartRecord(encodePartRecord(settled)) as PartRecord), rejected });
  assert.equal(decodePartRecord(text)?.current, 'image');
  assert.equal(decodePartRecord(text)?.rejected?.message, 'first current ../../etc end');
});

const settled: PartRecord = {
  current: 'image',
  former: undefined,
  older: undefined,
  phase: 'settled',
  boot: '',
  boots: 0,
  sinceMs: 0,
  goal: [],
  base: '',
  rejected: undefined,
};
