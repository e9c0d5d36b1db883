import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../agent/core/clock.ts';
import { HealthBoard, isGood } from '../../agent/health/board.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

function boardAt(): { board: HealthBoard; setTime: (ms: number) => void } {
  let time = 1_000;
  const clock: Clock = {
    wallMs: () => time,
    nowMs: () => time,
    sleep: () => Promise.resolve(),
    after: () => () => undefined,
  };
  return { board: new HealthBoard(clock), setTime: (ms) => (time = ms) };
}

test('a repeated condition keeps its since and records no event', () => {
  const { board, setTime } = boardAt();
  board.set('DockerReady', 'false', { reason: 'Starting', message: 'a' });
  setTime(5_000);
  board.set('DockerReady', 'false', { reason: 'Starting', message: 'b' });
  assert.equal(board.get('DockerReady')?.sinceMs, 1_000);
  assert.equal(board.get('DockerReady')?.message, 'b');
  assert.equal(board.eventsAfter(0).length, 1);
});

test('a new reason is an event but since follows the status only', () => {
  const { board, setTime } = boardAt();
  board.set('DockerReady', 'false', { reason: 'Starting', message: 'a' });
  setTime(5_000);
  board.set('DockerReady', 'false', { reason: 'CrashLoop', message: 'b' });
  assert.equal(board.get('DockerReady')?.sinceMs, 1_000);
  assert.equal(board.eventsAfter(0).length, 2);
});

test('a clock that is set late moves what happened before with it, and a small correction moves nothing', () => {
  const clock = new FakeClock({ wallMs: 5_000 });
  const board = new HealthBoard(clock);
  board.set('PartsVerified', 'true', { reason: 'Verified', message: 'm' });
  clock.setWall(1_800_000_000_000);
  board.set('DockerReady', 'false', { reason: 'Starting', message: 'a' });
  assert.deepEqual(
    board.conditions().map(({ sinceMs, probedAtMs }) => [sinceMs, probedAtMs]),
    [
      [1_800_000_000_000, 1_800_000_000_000],
      [1_800_000_000_000, 1_800_000_000_000],
    ],
  );
  clock.setWall(1_800_000_001_000);
  assert.equal(board.get('PartsVerified')?.sinceMs, 1_800_000_000_000);
});

test('a pressure is good when false, everything else when true', () => {
  assert.equal(isGood({ type: 'DiskPressure', status: 'false' }), true);
  assert.equal(isGood({ type: 'DockerReady', status: 'unknown' }), false);
});

test('an empty board is not ready', () => {
  const { board } = boardAt();
  assert.equal(board.isReady(), false);
  board.set('Prepared', 'true', { reason: 'NoDrift', message: '' });
  assert.equal(board.isReady(), true);
  board.set('DiskPressure', 'true', { reason: 'DataFull', message: '' });
  assert.equal(board.isReady(), false);
});

test('events are numbered without gaps and the memory of them is bounded', () => {
  const { board } = boardAt();
  for (let index = 0; index < 700; index += 1) board.record('unit.ended', { index });
  const events = board.eventsAfter(0);
  assert.equal(events.length, 500);
  assert.equal(events.at(-1)?.sequence, 700);
  assert.equal(board.eventsAfter(698).length, 2);
});

test('a message longer than a node condition may carry is cut', () => {
  const { board } = boardAt();
  board.set('Prepared', 'false', { reason: 'StepFailed', message: 'x'.repeat(5_000) });
  assert.equal(board.get('Prepared')?.message.length, 1_024);
});
