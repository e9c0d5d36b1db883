import assert from 'node:assert/strict';
import test from 'node:test';
import { Progress } from '../../scripts/bench/progress.ts';

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test('a terminal has one line that is written anew', () => {
  const terminal = screen(true);
  const progress = new Progress(terminal, () => 0);
  for (let left = 3; left > 0; left--) progress.say('bench: ', `steady: ${left} s left`);
  progress.end();
  assert.ok(terminal.written.every((text) => text.startsWith('\r') && !text.includes('\n')));
  assert.equal(terminal.written.length, 4);
});

test('a log has a line for each benchmark, and for a long one now and then', () => {
  const log = screen(false);
  let nowMs = 0;
  const progress = new Progress(log, () => nowMs);
  for (; nowMs < 40_000; nowMs += 250) progress.say('', `steady: ${40_000 - nowMs} ms left`);
  progress.say('', 'latency 1/20');
  assert.deepEqual(
    log.written.map((text) => text.split(/[ :]/)[0]),
    ['steady', 'steady', 'steady', 'latency'],
  );
});
