import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineStamper } from '../../agent/host/line-stamper.ts';
import { lineParser } from '../../agent/host/log-lines.ts';

const startMs = Date.UTC(2025, 0, 1);
const streamNames = { o: 'out', e: 'err', a: 'agent' } as const;
const text = fc.oneof(
  fc.string({ maxLength: 40 }).map((line) => line.replaceAll('\n', ' ')),
  fc.constantFrom(
    '2026-01-01T00:00:00.000Z o another time',
    '2026-01-01T00:00:00.000Z a another stream',
    '2026-01-01T00:00:00.000Z info no stamp',
    '{"at":"2026-01-01T00:00:00.000Z"}',
    '',
    'Z o ',
  ),
);
const reads = fc.array(
  fc.record({ letter: fc.constantFrom('o', 'e'), texts: fc.array(text, { minLength: 1, maxLength: 6 }) }),
  { maxLength: 12 },
);

test('every line gets back the time and stream of its read, whatever it looks like', () => {
  const stamper = new LineStamper();
  fc.assert(
    fc.property(reads, (all) => {
      const stored = all.map(({ letter, texts }, index) =>
        Buffer.concat(
          stamper.encode(Buffer.from(texts.map((line) => `${line}\n`).join('')), letter, startMs + index),
        ),
      );
      const lines = Buffer.concat(stored).toString().split('\n').slice(0, -1);
      assert.deepEqual(
        lines.map(lineParser('unit')),
        all.flatMap(({ letter, texts }, index) =>
          texts.map((line) => ({
            atMs: startMs + index,
            unit: 'unit',
            stream: streamNames[letter],
            text: line,
          })),
        ),
      );
    }),
  );
});

test('lines that were read together share one stamp', () => {
  const stored = new LineStamper().encode(Buffer.from('one\ntwo\nthree\n'), 'o', startMs);
  assert.equal(Buffer.concat(stored).toString(), '2025-01-01T00:00:00.000Z o one\ntwo\nthree\n');
});

test('a log of an earlier agent, which stamped each line, reads as before; lines without any time above are left out', () => {
  const parse = lineParser('unit');
  assert.equal(parse('the end of a line that was rotated away'), undefined);
  const lines = ['2025-01-01T00:00:00.000Z o one', '2025-01-01T00:00:00.001Z e two'].map(parse);
  assert.deepEqual(lines, [
    { atMs: startMs, unit: 'unit', stream: 'out', text: 'one' },
    { atMs: startMs + 1, unit: 'unit', stream: 'err', text: 'two' },
  ]);
});
