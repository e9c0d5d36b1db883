import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { ClockKeeper } from '../../agent/prep/clock-keeper.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeGround } from '../fakes/fake-ground.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const now = Date.UTC(2026, 3, 1);

interface World {
  readonly wallMs: number;
  /** How often the clock cannot be set before it can. */
  readonly refusals?: number;
  readonly says: Readonly<Record<string, number | undefined>>;
}

/** Runs a keeper for an hour and tells what the clock shows, and whom it asked. */
async function anHour({
  wallMs,
  says,
  refusals = 0,
}: World): Promise<{ wallMs: number; asked: string[]; board: HealthBoard }> {
  const clock = new FakeClock({ wallMs });
  const board = new HealthBoard(clock);
  const ground = new FakeGround();
  let left = refusals;
  ground.onStep = (step) => {
    left -= 1;
    if (left >= 0) throw new Error('busybox cannot be started: EMFILE');
    if (step.kind === 'set-clock') clock.setWall(step.wallMs);
  };
  const asked: string[] = [];
  const time = {
    dateOf: async (url: string) => {
      asked.push(url);
      if (!URL.canParse(url)) throw new TypeError('Invalid URL');
      return says[url];
    },
  };
  const parts = {
    clock,
    board,
    executor: ground,
    log: new QuietLog(),
    time,
    sources: () => Object.keys(says),
  };
  const stop = new AbortController();
  const run = new ClockKeeper(parts).run(stop.signal);
  await clock.advance(3_600_000);
  stop.abort(new DOMException('over', 'AbortError'));
  await run;
  return { wallMs: clock.wallMs(), asked, board };
}

test('a clock in 1970 is set from the first server that knows a possible time', async () => {
  const { wallMs, asked, board } = await anHour({
    wallMs: 60_000,
    says: {
      'https://down': undefined,
      'https://also-1970': 90_000,
      'https://good': now,
      'https://never': now,
    },
  });
  assert.deepEqual(asked, ['https://down', 'https://also-1970', 'https://good']);
  assert.ok(wallMs >= now && wallMs <= now + 3_600_000);
  assert.equal(board.get('ClockSynced')?.reason, 'TakenFromServer');
});

test('a clock that cannot be set at the first try, and a source that is none, are no reason to give up', async () => {
  const says = { 'https://[nonsense': now, 'https://good': now };
  const { wallMs, asked, board } = await anHour({ wallMs: 60_000, refusals: 3, says });
  assert.ok(wallMs >= now && wallMs <= now + 3_600_000);
  assert.equal(asked.length, 8);
  assert.equal(board.get('ClockSynced')?.reason, 'TakenFromServer');
});

test('a clock that shows a possible time is never touched, however wrong a server says it is', async () => {
  const { wallMs, asked } = await anHour({ wallMs: Date.UTC(2025, 0, 1), says: { 'https://good': now } });
  assert.deepEqual(asked, []);
  assert.equal(wallMs, Date.UTC(2025, 0, 1) + 3_600_000);
});

test('a server far in the future is not believed, and the others are asked again with growing pauses', async () => {
  const { wallMs, asked } = await anHour({ wallMs: 0, says: { 'https://mad': Date.UTC(2100, 0, 1) } });
  assert.equal(wallMs, 3_600_000);
  assert.ok(asked.length > 8 && asked.length < 30, `${asked.length} times`);
});
