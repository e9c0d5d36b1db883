import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeFrame, type Frame, FrameDecoder, hello, maxPayload } from '../../../scripts/lab/wire.ts';

function frame(channel: number, type: string, text: string): Frame {
  return { channel, type, payload: new TextEncoder().encode(text) };
}

test('nothing before the board says hello is taken for a frame', () => {
  const decoder = new FrameDecoder();
  assert.deepEqual(decoder.push(encodeFrame(frame(1, 'o', 'from an earlier life'))), []);
  const news = decoder.push(Buffer.concat([hello, encodeFrame(frame(2, 'o', 'now'))]));
  assert.deepEqual(news, [{ kind: 'hello' }, { kind: 'frame', frame: frame(2, 'o', 'now') }]);
});

test('a board that starts anew in the middle of a frame is heard', () => {
  const decoder = new FrameDecoder();
  decoder.push(hello);
  const cut = encodeFrame(frame(3, 'o', 'this frame is never finished')).subarray(0, 15);
  assert.deepEqual(decoder.push(cut), []);
  const news = decoder.push(Buffer.concat([hello, encodeFrame(frame(1, 'q', 'abcd'))]));
  assert.deepEqual(news, [{ kind: 'hello' }, { kind: 'frame', frame: frame(1, 'q', 'abcd') }]);
});

test('an impossible length is refused', () => {
  const decoder = new FrameDecoder();
  decoder.push(hello);
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(maxPayload + 6, 0);
  assert.throws(() => decoder.push(bytes), /a frame of 65542 bytes/);
});

test('frames come out as they went in, however the stream is cut', () => {
  const anyFrame = fc.record(
    {
      channel: fc.nat(2 ** 32 - 1),
      type: fc.constantFrom('o', 'e', 'd', 'q'),
      payload: fc.uint8Array({ maxLength: 300 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (frames, cuts) => {
        const stream = Buffer.concat([hello, ...frames.map(encodeFrame)]);
        const decoder = new FrameDecoder();
        const seen: Frame[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = cuts[turn % Math.max(1, cuts.length)] ?? 7;
          for (const news of decoder.push(stream.subarray(at, at + size))) {
            if (news.kind === 'frame') seen.push(news.frame);
          }
          at += size;
        }
        assert.deepEqual(seen, frames);
      },
    ),
  );
});
