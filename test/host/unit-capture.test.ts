import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { LineStamper } from '../../agent/host/line-stamper.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { ReadSpace } from '../../agent/host/output-pipe.ts';
import type { RotatingFile } from '../../agent/host/rotating-file.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { UnitCapture } from '../../agent/host/unit-capture.ts';
import { headroomBytes } from '../../agent/host/whole-lines.ts';

/** A capture whose disk is slow: a line is being written until `release`, and the last words are still in the pipe. */
async function slowCapture(
  t: TestContext,
): Promise<{ readonly capture: UnitCapture; readonly release: () => void }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'unit-capture-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const [out, err] = ['out', 'err'].map((name) => ({ path: `${directory}/${name}`, isOld: false }));
  assert.ok(out !== undefined && err !== undefined);
  spawnSync('/usr/bin/mkfifo', [out.path, err.path]);
  let done: (() => void) | undefined;
  let isSlow = true;
  const file = {
    droppedBytes: 0,
    trouble: undefined,
    write(_pieces: readonly Uint8Array[], written: () => void) {
      if (isSlow) done = written;
      return !isSlow;
    },
    close: () => undefined,
  };
  const capture = new UnitCapture(
    { out, err },
    {
      file: file as unknown as RotatingFile,
      clock: new SystemClock(),
      space: new ReadSpace(headroomBytes),
      stamper: new LineStamper(),
      widen: () => undefined,
    },
  );
  const release = (): void => {
    isSlow = false;
    done?.();
  };
  writeSync(capture.descriptors.out, 'is being written\n');
  while (done === undefined) await nextTurn();
  writeSync(capture.descriptors.out, 'last words\n');
  return { capture, release };
}

test('the last words are not missed where a slow disk lets the reading go on just then', async (t) => {
  const { capture, release } = await slowCapture(t);
  setImmediate(() => setImmediate(release));
  assert.deepEqual(await capture.endLife(5), ['is being written', 'last words']);
  await capture.close();
});

test('a capture that is closed, even while it waits for last words, reads from nobody else', async (t) => {
  const { capture } = await slowCapture(t);
  const ending = capture.endLife(5);
  const closing = capture.close();
  // They get the numbers that have just become free.
  const others = Array.from({ length: 4 }, () => openSync('test/programs/last-words.mjs', 'r'));
  await Promise.all([ending, closing]);
  assert.deepEqual(capture.tail(5), ['is being written']);
  const texts = others.map((descriptor) => readFileSync(descriptor, 'utf8'));
  for (const descriptor of others) closeSync(descriptor);
  assert.ok(texts.every((text) => text.includes('last words')));
});
