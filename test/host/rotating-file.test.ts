import assert from 'node:assert/strict';
import fs, { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { RotatingFile } from '../../agent/host/rotating-file.ts';

const hour = 3_600_000;
const start = Date.UTC(2026, 0, 1);
const budget = { fileBytes: 65_536, files: 3, fileMs: 24 * hour };

/** A log whose clock the test sets, and a way to open the same file once more as the next agent does. */
function rig(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), 'rotating-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'unit.log');
  const clock = { nowMs: start, stepMs: 0 };
  const open = () => new RotatingFile(file, budget, () => (clock.nowMs += clock.stepMs));
  const line = (text: string) => Buffer.from(`${new Date(clock.nowMs).toISOString()} o ${text}\n`);
  return { file, clock, open, line };
}

test('a small log is rotated when its first line is too old, also by an agent that found it there', (t) => {
  const { file, clock, open, line } = rig(t);
  const first = open();
  first.writeNow([line('one')]);
  clock.nowMs += 23 * hour;
  first.writeNow([line('two')]);
  first.close();
  assert.equal(existsSync(`${file}.1`), false);
  clock.nowMs += 2 * hour;
  const second = open();
  second.writeNow([line('three')]);
  second.writeNow([line('four')]);
  second.close();
  assert.match(readFileSync(`${file}.1`, 'utf8'), /one\n.*two\n$/);
  assert.match(readFileSync(file, 'utf8'), /three\n.*four\n$/);
  assert.equal(existsSync(`${file}.2`), false);
});

test('a clock that is set back rotates nothing, one that was in 1970 rotates once', (t) => {
  const { file, clock, open, line } = rig(t);
  const log = open();
  log.writeNow([line('now')]);
  clock.nowMs -= 1_000 * hour;
  log.writeNow([line('back')]);
  assert.equal(existsSync(`${file}.1`), false);
  clock.nowMs = start + 100_000 * hour;
  for (const text of ['set', 'and', 'on']) log.writeNow([line(text)]);
  log.close();
  assert.equal(existsSync(`${file}.2`), false);
  assert.match(readFileSync(file, 'utf8'), /set\n.*and\n.*on\n$/);
});

test('after a slow write another thread writes, in order and whole, until the disk was quick for a while', async (t) => {
  const { file, clock, open, line } = rig(t);
  const log = open();
  const written: string[] = [];
  const write = async (text: string): Promise<void> => {
    const bytes = line(text);
    const isDone = await new Promise<boolean>((resolve) => {
      if (log.write([bytes], () => resolve(false))) resolve(true);
      else bytes.fill(0);
    });
    written.push(`${text} ${isDone ? 'at once' : 'elsewhere'}`);
  };
  await write('one');
  clock.stepMs = 150;
  await write('two');
  clock.stepMs = 0;
  await write('three');
  clock.nowMs += 61_000;
  await write('four');
  log.close();
  assert.deepEqual(written, ['one at once', 'two at once', 'three elsewhere', 'four at once']);
  assert.match(readFileSync(file, 'utf8'), /one\n.*two\n.*three\n.*four\n$/);
});

test('a clock that is set back does not make a disk slow for as long', (t) => {
  const { clock, open, line } = rig(t);
  const log = open();
  clock.stepMs = 300;
  log.writeNow([line('slow')]);
  clock.stepMs = 0;
  assert.equal(
    log.write([line('soon after')], () => undefined),
    false,
  );
  clock.nowMs -= 1_000 * hour;
  assert.equal(
    log.write([line('set back')], () => undefined),
    true,
  );
  log.close();
});

test('a file whose closing reports an error is closed all the same: its number may be another file by then', (t) => {
  const { file, open, line } = rig(t);
  const log = open();
  log.writeNow([line('one')]);
  const close = fs.closeSync;
  const closing = t.mock.method(fs, 'closeSync', (descriptor: number) => {
    close(descriptor);
    throw Object.assign(new Error('EIO'), { code: 'EIO' });
  });
  assert.throws(() => log.close(), /EIO/);
  closing.mock.restore();
  // Takes the number that has become free.
  const other = fs.openSync(`${file}.other`, 'w');
  log.writeNow([line('two')]);
  close(other);
  log.close();
  assert.equal(readFileSync(`${file}.other`, 'utf8'), '');
  assert.match(readFileSync(file, 'utf8'), /one\n.*two\n$/);
});
