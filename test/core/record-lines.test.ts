import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { decodeRecords, encodeRecord } from '../../agent/core/record-lines.ts';

test('what is encoded comes back, for any values and any text', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), (values) => {
      const plain = JSON.parse(JSON.stringify(values)) as unknown[];
      const decoded = decodeRecords(plain.map(encodeRecord).join(''));
      assert.deepEqual(decoded, { values: plain, broken: 0, isTorn: false });
    }),
  );
});

test('a file cut anywhere gives the whole records before the cut and nothing else', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), fc.nat(), (values, seed) => {
      const text = values.map(encodeRecord).join('');
      const cut = text.slice(0, seed % text.length);
      const whole = cut.split('\n').length - 1;
      const found = decodeRecords(cut).values;
      // A cut that takes only the line feed leaves a whole record.
      assert.ok(found.length === whole || found.length === whole + 1);
      assert.deepEqual(found, values.slice(0, found.length));
    }),
  );
});

test('a flipped bit costs one record', () => {
  const lines = ['a', 'b', 'c'].map(encodeRecord);
  const damaged = `${lines[0]}${lines[1]?.replace('"b"', '"B"')}${lines[2]}`;
  assert.deepEqual(decodeRecords(damaged), { values: ['a', 'c'], broken: 1, isTorn: false });
});

test('the checksum is the CRC-32 of zip', {
  skip: crc32 === undefined && 'this Node has no zlib.crc32',
}, () => {
  const line = encodeRecord({ text: 'grün' });
  assert.equal(Number.parseInt(line.slice(0, 8), 16), crc32(line.slice(9, -1)));
});

test('hostile text is counted, never thrown', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeRecords(text)));
});
