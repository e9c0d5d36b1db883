import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from '../fakes/patience.ts';
import { EdgeRig } from './edge-rig.ts';

const calm = new AbortController().signal;
const malformed = 'F0823 12:34:56.789012    1234 dao.go:72] database disk image is malformed';

async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const late = patience();
  while (!(await isTrue())) {
    assert.ok(!late.aborted, `waited for: ${what}`);
    await sleep(20);
  }
}

test('a database that a power cut broke is set aside once the cloud can send it anew, not before, and leaving takes it along', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor, board, log } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  supervisor.stopUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'down');
  const { databaseFile } = rig.places;
  const names = async () =>
    (await readdir(path.dirname(databaseFile))).filter((name) => name.startsWith('edgecore.db'));
  await writeFile(databaseFile, 'no database');
  await writeFile(`${databaseFile}-wal`, 'nor its log');
  await rig.cloud.setFaults({ hub: 'refuse' });
  await rig.fault({ exit: { code: 1, afterMs: 0, lines: [malformed] } });
  supervisor.startUnit('edgecore');
  await until('a start that waits for the cloud', () => JSON.stringify(log.lines).includes('database-waits'));
  assert.deepEqual(await names(), ['edgecore.db', 'edgecore.db-wal']);
  await rig.cloud.setFaults({});
  await until('a start after the cure', () =>
    board.eventsAfter(0).some(({ event }) => event === 'edgecore.database-set-aside'),
  );
  await rig.fault({});
  supervisor.startUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'ready');
  assert.ok(!(await names()).includes('edgecore.db-wal'));
  assert.ok((await names()).some((name) => name.startsWith('edgecore.db.broken-')));
  await edge.leave({ removesPods: false, removesImages: false, isDryRun: false }, calm);
  assert.deepEqual(await names(), []);
});

test('a board that joined with docker says what to do when its edgecore has no dockershim any more', async () => {
  await using rig = await EdgeRig.build('1.22.1');
  const { edge, supervisor } = await rig.startAgent();
  await edge.join(rig.order(), calm);
  supervisor.stopUnit('edgecore');
  await rig.until(supervisor, ({ phase }) => phase === 'down');
  await rig.stopAgent();
  await rig.joinedWith('docker');
  const next = await rig.startAgent();
  await rig.until(next.supervisor, ({ reason }) => reason === 'RuntimeUnfit');
  assert.match(next.supervisor.status()[0]?.message ?? '', /agentctl rejoin/);
  const again = await next.edge.join({}, calm);
  assert.equal(again.joined, true, JSON.stringify(again));
  assert.equal(again.runtime, 'cri');
});
