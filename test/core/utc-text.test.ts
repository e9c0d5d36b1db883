import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isoTime, rfc3339 } from '../../agent/core/utc-text.ts';

test('times are those of the platform', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const text = new Date(ms).toISOString();
      assert.equal(isoTime(ms), text);
      assert.equal(isoTime(ms + 0.9), text, 'clocks may have fractions');
      assert.equal(rfc3339(ms), text.replace(/\.\d+Z$/, 'Z'));
    }),
  );
  assert.equal(rfc3339(Date.UTC(2024, 1, 29, 23, 59, 59)), '2024-02-29T23:59:59Z');
});
