import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createApi } from '../../agent/api/api.ts';
import { ApiKeeper } from '../../agent/api-keeper.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { connected, privateDirectory, textUntilClose } from '../host/api-way.ts';

test('a way in that cannot be opened is tried again, and the other one stays open meanwhile', async (t) => {
  const home = await privateDirectory(t);
  mkdirSync(`${home}/run`);
  writeFileSync(`${home}/run/observe.sock`, 'in the way');
  const [clock, log] = [new FakeClock(), new QuietLog()];
  const board = new HealthBoard(clock);
  const keeper = new ApiKeeper({
    api: createApi({ verbs: new FakeVerbs(), log }),
    board,
    clock,
    log,
    home,
    group: -1,
  });
  await keeper.start();
  t.after(() => keeper.stop());
  assert.equal(board.get('ApiReady')?.status, 'false');
  const asker = await connected(`${home}/run/agent.sock`);
  await clock.advance(10_000);
  await clock.advance(10_000);
  rmSync(`${home}/run/observe.sock`);
  await clock.advance(10_000);
  while (board.get('ApiReady')?.status !== 'true') await new Promise((resolve) => setImmediate(resolve));
  assert.ok(existsSync(`${home}/run/observe.sock`));
  const answer = textUntilClose(asker);
  asker.write('GET /v1/version HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n');
  assert.match(await answer, /^HTTP\/1.1 200 /);
});
