import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { Ledger } from '../../agent/health/ledger.ts';
import { LedgerKeeper } from '../../agent/health/ledger-keeper.ts';
import { tellOwnHang } from '../../agent/health/own-hang.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const path = '/state/agent-hang.log';

/** Starts an agent on a disk as its predecessor left it. */
async function startAfter(disk: FakeDisk) {
  const clock = new FakeClock();
  const log = new QuietLog();
  const board = new HealthBoard(clock);
  const ledger = new Ledger({
    storage: { files: disk, appends: disk },
    clock,
    log,
    directory: '/state',
    bootId: 'boot-1',
  });
  await new LedgerKeeper({ ledger, board, clock, bootId: 'boot-1' }).start();
  await tellOwnHang({ files: disk, board, log, path });
  return { log, hangs: ledger.newest(100).filter(({ reason }) => reason === 'AgentHung') };
}

test('a hang is told once, with what was seen of it, and what was seen is kept', async () => {
  const disk = new FakeDisk();
  await disk.replace(path, 'silent for 300 s\npid 7, state R\nwchan: 0\n');
  const { hangs } = await startAfter(disk);
  assert.equal(hangs[0]?.message, 'Its main thread was silent for 300 s, so it was killed and started anew');
  assert.deepEqual(hangs[0].evidence, ['pid 7, state R', 'wchan: 0']);
  assert.equal((await startAfter(disk)).hangs.length, 1, 'the book has it, and nothing new came');
  assert.match(disk.files.get(`${path}.told`) ?? '', /^silent for 300 s/);
});

test('a hang of which a full disk kept nothing is told all the same', async () => {
  const disk = new FakeDisk();
  await disk.replace(path, '');
  const { hangs } = await startAfter(disk);
  assert.equal(hangs[0]?.message, 'Its main thread was silent for long, so it was killed and started anew');
});

test('what cannot be read now is said, and told by a later agent', async () => {
  const disk = new FakeDisk();
  await disk.replace(path, 'silent for 300 s\n');
  disk.refuseReading(path, 'EIO');
  const { hangs, log } = await startAfter(disk);
  assert.deepEqual(hangs, []);
  assert.ok(log.events().includes('agent.hung.unread'));
  disk.allowReading(path);
  assert.equal((await startAfter(disk)).hangs.length, 1);
});
