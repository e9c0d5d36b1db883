import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JoinDocument } from '../../agent/api/wire.ts';
import { JoinFile } from '../../agent/edge/join-file.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const path = '/data/join.yaml';
const secret = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl';
const good = `cloudcore: 10.0.0.5\ntoken: ${'a'.repeat(64)}.${secret}\nnodeName: board-1\n`;

class Board {
  readonly clock = new FakeClock();
  readonly disk = new FakeDisk();
  readonly log = new QuietLog();
  readonly board = new HealthBoard(this.clock);
  readonly orders: unknown[] = [];
  readonly #over = new AbortController();
  answer: Partial<JoinDocument> = { joined: true };
  isJoined = false;
  protect = (): Promise<void> => Promise.resolve();
  isOver = false;
  #run: Promise<void> = Promise.resolve();

  start(): void {
    const { clock, log, board } = this;
    const file = new JoinFile({
      clock,
      log,
      board,
      files: this.disk,
      path,
      protect: () => this.protect(),
      isJoined: () => this.isJoined,
      join: (order) => {
        this.orders.push(order);
        return Promise.resolve({
          joined: false,
          dryRun: false,
          problems: [],
          steps: [],
          kept: [],
          ...this.answer,
        });
      },
    });
    this.#run = file.run(this.#over.signal).then(
      () => {
        this.isOver = true;
      },
      () => undefined,
    );
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#run;
  }

  /** Nothing that anybody can read shows the token. */
  assertQuiet(): void {
    assert.ok(
      !JSON.stringify([this.log.lines, this.board.conditions(), this.board.eventsAfter(0)]).includes(secret),
    );
  }
}

const error = (reason: string) =>
  ({ severity: 'error', reason, message: `${reason} happened; do something` }) as const;

test('a board with a join file joins once and forgets the file', async () => {
  const board = new Board();
  board.disk.files.set(path, good);
  board.start();
  await board.clock.advance(1000);
  assert.equal((board.orders[0] as { nodeName: string }).nodeName, 'board-1');
  assert.deepEqual([board.disk.files.has(path), board.isOver], [false, true]);
  board.assertQuiet();
});

test('a file whose mode cannot be changed is joined from all the same', async () => {
  const board = new Board();
  board.disk.files.set(path, good);
  board.protect = () => Promise.reject(new Error('chmod: read-only file system'));
  board.start();
  await board.clock.advance(1000);
  assert.deepEqual([board.orders.length, board.isOver], [1, true]);
});

test('without a file nothing happens, and a file on a board that has joined is removed unread', async () => {
  const empty = new Board();
  empty.start();
  await empty.clock.advance(1000);
  assert.equal(empty.isOver, true);
  const joined = new Board();
  joined.isJoined = true;
  joined.disk.files.set(path, good);
  joined.start();
  await joined.clock.advance(1000);
  assert.deepEqual([joined.orders.length, joined.disk.files.has(path)], [0, false]);
});

test('a cloud that is not there yet is waited for, and the reason is on the board meanwhile', async () => {
  const board = new Board();
  board.disk.files.set(path, good);
  board.answer = { joined: false, problems: [error('CloudRefused'), error('ClockWrong')] };
  board.start();
  await board.clock.advance(60_000);
  assert.ok(board.orders.length >= 4);
  assert.equal(board.board.get('JoinedByFile')?.reason, 'CloudRefused');
  board.answer = { joined: true };
  await board.clock.advance(16_000);
  assert.deepEqual([board.isOver, board.board.get('JoinedByFile')], [true, undefined]);
  board.assertQuiet();
});

test('an order that is wrong is tried again only when the file changes', async () => {
  const board = new Board();
  board.disk.files.set(path, good);
  board.answer = { joined: false, problems: [error('TokenExpired')] };
  board.start();
  await board.clock.advance(600_000);
  assert.equal(board.orders.length, 1);
  assert.equal(board.board.get('JoinedByFile')?.reason, 'TokenExpired');
  board.answer = { joined: true };
  board.disk.files.set(path, good.replace('board-1', 'board-2'));
  await board.clock.advance(61_000);
  assert.equal(board.isOver, true);
});

test('a file that is no YAML is named with its line and never quoted', async () => {
  const board = new Board();
  board.disk.files.set(path, `a: [1\n${good}`);
  board.start();
  await board.clock.advance(1000);
  assert.equal(board.board.get('JoinedByFile')?.reason, 'FileInvalid');
  assert.match(board.board.get('JoinedByFile')?.message ?? '', /no YAML at line \d/);
  board.assertQuiet();
  await board.stop();
});
