import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { Ledger } from '../../agent/health/ledger.ts';
import { LedgerKeeper } from '../../agent/health/ledger-keeper.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

async function world(disk = new FakeDisk(), bootId = 'boot-1') {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  const storage = { files: disk, appends: disk };
  const ledger = new Ledger({ storage, clock, log: new QuietLog(), directory: '/state', bootId });
  const keeper = new LedgerKeeper({ ledger, board, clock, bootId });
  await keeper.start();
  const told = (): string[] =>
    ledger.newest(100).map(({ kind, subject, reason }) => `${kind} ${subject} ${reason}`);
  return { clock, board, ledger, keeper, disk, told };
}

test('a boot is told apart from a restart of the agent', async () => {
  const first = await world();
  await first.keeper.stop();
  const second = await world(first.disk);
  await second.keeper.stop();
  const third = await world(first.disk, 'boot-2');
  assert.deepEqual(third.told(), ['boot agent Booted', 'boot agent AgentRestarted', 'boot agent Booted']);
});

test('a unit that ended is in the book with its last lines, and so is one that is held', async () => {
  const { board, ledger, told } = await world();
  board.record('unit.ended', {
    unit: 'dockerd',
    how: 'exited 1',
    lines: ['failed to start daemon: no overlay'],
  });
  board.record('unit.changed', {
    unit: 'dockerd',
    from: 'starting',
    to: 'waiting',
    reason: 'NoOverlay',
    message: 'm',
  });
  board.record('unit.changed', { unit: 'edgecore', to: 'held', reason: 'WaitingForDockerd', message: 'm' });
  board.record('unit.changed', { unit: 'edgecore', to: 'held', reason: 'Starting', message: 'm' });
  board.record('unit.changed', { unit: 'dockerd', to: 'ready', reason: 'Ready', message: 'm' });
  assert.deepEqual(told().slice(1), ['restart dockerd NoOverlay', 'hold edgecore WaitingForDockerd']);
  assert.deepEqual(ledger.newest(2)[0]?.evidence, ['failed to start daemon: no overlay']);
});

test('only repaired drift is a repair, not the first preparation', async () => {
  const { board, told } = await world();
  board.record('step.applied', { id: 'rule.8500', what: 'add rule', why: 'missing', isRepair: false });
  board.record('step.applied', { id: 'rule.8500', what: 'add rule', why: 'missing', isRepair: true });
  assert.deepEqual(told().slice(1), ['repair rule.8500 Drift']);
});

test('what was done to help a unit is a repair, with the reason that it was needed for', async () => {
  const { board, ledger, told } = await world();
  const done = ['containerd (process 7) hung and was ended', 'State: D'];
  board.record('unit.aided', { unit: 'dockerd', pid: 5, reason: 'RuntimeHung', done });
  assert.deepEqual(told().slice(1), ['repair dockerd RuntimeHung']);
  assert.match(ledger.newest(1)[0]?.message ?? '', /hung and was ended; State: D/);
});

test('what fails every few seconds is written once in a while', async () => {
  const { board, clock, told } = await world();
  for (let index = 0; index < 300; index += 1) {
    board.record('step.failed', { id: 'mount.run', message: 'EBUSY' });
    await clock.advance(3_000);
  }
  assert.equal(told().slice(1).length, 2);
});

test('every restart counts, however often', async () => {
  const { board, told } = await world();
  for (let index = 0; index < 5; index += 1) {
    board.record('unit.changed', { unit: 'edgecore', to: 'waiting', reason: 'Exited', message: 'm' });
  }
  assert.equal(told().slice(1).length, 5);
});
