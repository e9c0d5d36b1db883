import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PacketBound } from '../../agent/host/packet-bound.ts';

const bound = 300;

/** Fixed header of a packet with so many bytes after it. */
function header(length: number): number[] {
  const digits: number[] = [];
  for (let rest = length; rest > 0 || digits.length === 0; rest = Math.floor(rest / 128)) {
    digits.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
  }
  return [0x30, ...digits];
}

test('packets up to the bound pass and the first one above it does not, however they are cut', () => {
  const lengths = fc.array(fc.oneof(fc.nat(bound), fc.constantFrom(0, 127, 128, bound)), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(
      lengths,
      cuts,
      fc.option(fc.integer({ min: bound + 1, max: 3_000_000 })),
      (all, sizes, long) => {
        const bytes = Uint8Array.from(
          all.flatMap((length) => [...header(length), ...Array.from({ length }, () => 0xff)]),
        );
        const watch = new PacketBound(bound);
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          assert.equal(watch.take(bytes.subarray(at, at + size)), true);
          at += size;
        }
        if (long === null) return;
        // Its header alone is enough.
        assert.equal(watch.take(Uint8Array.from(header(long))), false);
        assert.equal(watch.take(new Uint8Array(10)), false);
      },
    ),
  );
});

test('a length that never ends is too long', () => {
  assert.equal(new PacketBound(bound).take(new Uint8Array(50).fill(0xff)), false);
});
