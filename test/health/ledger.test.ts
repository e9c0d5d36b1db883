import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../agent/health/ledger.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const restart = {
  kind: 'restart',
  subject: 'dockerd',
  reason: 'Exited',
  message: 'ended with code 1',
} as const;

async function ledgerOn(disk: FakeDisk, maxBytes?: number): Promise<{ ledger: Ledger; log: QuietLog }> {
  const log = new QuietLog();
  const ledger = new Ledger({
    storage: { files: disk, appends: disk },
    clock: new FakeClock(),
    log,
    directory: '/state',
    bootId: 'boot-1',
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  await ledger.start();
  return { ledger, log };
}

test('the numbers go on over restarts of the agent', async () => {
  const disk = new FakeDisk();
  const first = await ledgerOn(disk);
  await first.ledger.write(restart).onDisk;
  await first.ledger.write(restart).onDisk;
  const second = await ledgerOn(disk);
  assert.equal(second.ledger.write(restart).record.sequence, 3);
  assert.deepEqual(
    second.ledger.after(1, 10).map((record) => record.sequence),
    [2, 3],
  );
});

test('a record that resolved survives a power cut in the middle of the next one', async () => {
  const disk = new FakeDisk();
  const { ledger } = await ledgerOn(disk);
  await ledger.write(restart).onDisk;
  disk.tear(40);
  void ledger.write({ ...restart, reason: 'Torn' });
  await new Promise((resolve) => setImmediate(resolve));
  const after = await ledgerOn(disk);
  assert.deepEqual(
    after.ledger.newest(10).map((record) => record.reason),
    ['Exited'],
  );
  await after.ledger.write({ ...restart, reason: 'Next' }).onDisk;
  const last = await ledgerOn(disk);
  assert.deepEqual(
    last.ledger.newest(10).map((record) => record.reason),
    ['Exited', 'Next'],
  );
});

test('the file stays within its room and keeps the newest records', async () => {
  const disk = new FakeDisk();
  const { ledger } = await ledgerOn(disk, 4_096);
  for (let index = 0; index < 200; index += 1) await ledger.write(restart).onDisk;
  assert.ok((disk.files.get('/state/ledger.records')?.length ?? 0) <= 4_096 + 512);
  assert.equal((await ledgerOn(disk, 4_096)).ledger.lastSequence, 200);
});

test('a full disk costs nothing but durability', async () => {
  const disk = new FakeDisk();
  const { ledger, log } = await ledgerOn(disk);
  disk.fail('ENOSPC');
  await ledger.write(restart).onDisk;
  assert.equal(ledger.newest(1)[0]?.reason, 'Exited');
  assert.deepEqual(log.events(), ['ledger.refused']);
});

test('a disk that never takes anything does not make the book grow in memory', async () => {
  const disk = new FakeDisk();
  const { ledger } = await ledgerOn(disk, 4_096);
  disk.fail('EROFS');
  for (let index = 0; index < 1_000; index += 1) await ledger.write(restart).onDisk;
  assert.ok(ledger.newest(1_000).length < 100);
  assert.equal(ledger.lastSequence, 1_000);
});

test('evidence is bounded', async () => {
  const { ledger } = await ledgerOn(new FakeDisk());
  const evidence = Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(5_000, 'x'));
  const { record } = ledger.write({ ...restart, message: 'm'.repeat(9_000), evidence });
  assert.equal(record.message.length, 1_024);
  assert.deepEqual([record.evidence?.length, record.evidence?.at(-1)?.slice(0, 2)], [10, '49']);
  assert.ok(record.evidence?.every((line) => line.length <= 300));
});

test('a damaged line is set beside and the rest is kept', async () => {
  const disk = new FakeDisk();
  const { ledger } = await ledgerOn(disk);
  for (let index = 0; index < 3; index += 1) await ledger.write(restart).onDisk;
  const lines = (disk.files.get('/state/ledger.records') ?? '').split('\n');
  lines[1] = (lines[1] ?? '').replace('Exited', 'exited');
  disk.files.set('/state/ledger.records', lines.join('\n'));
  const again = await ledgerOn(disk);
  assert.deepEqual(
    again.ledger.newest(9).map((record) => record.sequence),
    [1, 3],
  );
  assert.ok(disk.files.has('/state/ledger.records.broken-1'));
  assert.deepEqual(again.log.events(), ['ledger.damaged']);
});

test('a book that cannot be read just now is neither written over nor are its numbers used twice', async () => {
  const disk = new FakeDisk();
  const first = await ledgerOn(disk);
  for (const reason of ['One', 'Two', 'Three']) await first.ledger.write({ ...restart, reason }).onDisk;
  disk.refuseReading('/state/ledger.records', 'EMFILE');
  const { ledger, log } = await ledgerOn(disk, 400);
  for (const reason of ['Four', 'Five']) await ledger.write({ ...restart, reason }).onDisk;
  assert.ok(log.lines.some((line) => JSON.stringify(line).includes('EMFILE')));
  disk.allowReading('/state/ledger.records');
  await ledger.write({ ...restart, reason: 'Six' }).onDisk;
  const kept = (book: Ledger) => book.newest(10).map(({ sequence, reason }) => `${sequence} ${reason}`);
  assert.deepEqual(kept(ledger), ['4 Four', '5 Five', '6 Six'], 'within its room');
  assert.deepEqual(kept((await ledgerOn(disk)).ledger), kept(ledger));
});

test('a book that is longer than any of ours is set aside whole', async () => {
  const disk = new FakeDisk();
  disk.refuseReading('/state/ledger.records', 'TOO_LARGE');
  disk.files.set('/state/ledger.records', 'long');
  const { ledger } = await ledgerOn(disk);
  await ledger.write(restart).onDisk;
  assert.equal(disk.files.get('/state/ledger.records.broken-1'), 'long');
});
