import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineStamper } from '../../agent/host/line-stamper.ts';
import { parseLine } from '../../agent/host/log-lines.ts';

const atMs = Date.UTC(2025, 0, 1);

test('however a text is cut into chunks, the same lines come out, each with time and stream', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ maxLength: 40 }).map((text) => text.replaceAll('\n', ' ')),
        { maxLength: 20 },
      ),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
      (texts, sizes) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''));
        const stamper = new LineStamper();
        const out: Buffer[] = [];
        for (let from = 0, turn = 0; from < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          out.push(Buffer.from(stamper.encode(bytes.subarray(from, from + size), 'e', atMs)));
          from += size;
        }
        const lines = Buffer.concat(out).toString().split('\n').slice(0, -1);
        assert.deepEqual(
          lines.map((line) => parseLine('unit', line)),
          texts.map((text) => ({ atMs, unit: 'unit', stream: 'err', text })),
        );
      },
    ),
  );
});

test('when both streams speak, no line holds words of both', () => {
  const stamper = new LineStamper();
  const out = Buffer.concat([
    stamper.encode(Buffer.from('half a li'), 'o', atMs),
    stamper.encode(Buffer.from('an error\n'), 'e', atMs),
    stamper.encode(Buffer.from('ne\n'), 'o', atMs),
  ]).toString();
  const texts = out
    .split('\n')
    .slice(0, -1)
    .map((line) => parseLine('unit', line)?.text);
  assert.deepEqual(texts, ['half a li', 'an error', 'ne']);
});

test('a line without an end is cut, and nothing of it is lost', () => {
  const stamper = new LineStamper();
  const endless = Buffer.alloc(100_000, 'x');
  const lines = stamper.encode(endless, 'o', atMs).toString().split('\n');
  const texts = lines.map((line) => parseLine('unit', line)?.text ?? '');
  assert.equal(texts.join('').length, 100_000);
  assert.ok(texts.every((text) => text.length <= 16_384));
});
