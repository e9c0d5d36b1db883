import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health, ProbeDepth } from '../../agent/core/unit-spec.ts';
import { decodeRecord } from '../../agent/units/adoption-record.ts';
import { FakeUnit } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const forever = new AbortController().signal;
const killed = { how: 'signalled', signal: 'SIGKILL' } as const;

test('units come up in the order of their needs, each only when its need is ready', async () => {
  const bench = new UnitBench();
  const dockerd = new FakeUnit('dockerd');
  const edgecore = new FakeUnit('edgecore', { needs: ['dockerd'] });
  dockerd.health = { verdict: 'unready', reason: 'Busy', message: 'still loading' };
  const { supervisor, board } = await bench.start([edgecore, dockerd]);
  assert.deepEqual(
    supervisor.status().map(({ name, phase, reason }) => [name, phase, reason]),
    [
      ['dockerd', 'starting', 'Busy'],
      ['edgecore', 'waiting', 'WaitingForDockerd'],
    ],
  );
  assert.equal(board.get('EdgecoreReady')?.causedBy, 'DockerdReady');
  dockerd.health = { verdict: 'ready' };
  await bench.clock.advance(3_000);
  assert.deepEqual(
    supervisor.status().map(({ phase }) => phase),
    ['ready', 'ready'],
  );
  assert.equal(board.get('EdgecoreReady')?.status, 'true');
});

test('a unit goes on when its need dies, and is held only when it ends itself', async () => {
  const bench = new UnitBench();
  const dockerd = new FakeUnit('dockerd');
  const edgecore = new FakeUnit('edgecore', { needs: ['dockerd'] });
  const { supervisor } = await bench.start([dockerd, edgecore]);
  const [first, second] = bench.processes.living;
  dockerd.health = { verdict: 'unready', reason: 'Busy', message: 'still loading' };
  bench.processes.end(first?.pid ?? 0, killed);
  await bench.clock.advance(100);
  assert.equal(supervisor.status()[1]?.phase, 'ready');
  bench.processes.end(second?.pid ?? 0, killed);
  await bench.clock.advance(1_000);
  assert.equal(supervisor.status()[1]?.reason, 'WaitingForDockerd');
  dockerd.health = { verdict: 'ready' };
  await bench.clock.advance(3_000);
  assert.deepEqual(
    supervisor.status().map(({ phase, starts }) => [phase, starts]),
    [
      ['ready', 2],
      ['ready', 2],
    ],
  );
});

test('a killed unit is started again at once and the end is on record', async () => {
  const bench = new UnitBench();
  const { supervisor, board } = await bench.start([new FakeUnit('worker')]);
  bench.logs.print('worker', 'last words');
  bench.processes.end(bench.processes.living[0]?.pid ?? 0, killed);
  await bench.clock.advance(0);
  const status = supervisor.status()[0];
  assert.equal(bench.processes.living.length, 1);
  assert.deepEqual(
    { how: status?.lastEnd?.how, lines: status?.lastEnd?.lines, failures: status?.failures },
    { how: 'signalled SIGKILL', lines: ['last words'], failures: 1 },
  );
  assert.ok(board.eventsAfter(0).some((entry) => entry.event === 'unit.ended'));
});

test('a new agent takes over what the old one left, and nothing is started twice', async () => {
  const bench = new UnitBench();
  const first = await bench.start([new FakeUnit('worker')]);
  const pid = bench.processes.living[0]?.pid;
  await first.supervisor.stop();
  const second = await bench.start([new FakeUnit('worker')]);
  assert.deepEqual(
    bench.processes.living.map((process) => process.pid),
    [pid],
  );
  const status = second.supervisor.status()[0];
  assert.deepEqual(
    { pid: status?.pid, adopted: status?.adopted, phase: status?.phase, starts: status?.starts },
    { pid, adopted: true, phase: 'ready', starts: 0 },
  );
  bench.processes.end(pid ?? 0, killed);
  await bench.clock.advance(2_000);
  assert.equal(second.supervisor.status()[0]?.lastEnd?.how, 'unknown');
  assert.equal(bench.processes.living.length, 1);
});

test('an agent that died between start and record leaves no second copy behind', async () => {
  const bench = new UnitBench();
  const stray = bench.processes.add({ argv: ['/bin/worker', '--serve'] });
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  assert.deepEqual(
    bench.processes.living.map((process) => process.pid),
    [stray.pid],
  );
  assert.equal(supervisor.status()[0]?.adopted, true);
});

test('a recycled pid, another boot or a foreign program is not taken over', async () => {
  const bench = new UnitBench();
  const stranger = bench.processes.add({ argv: ['/bin/other'] });
  const record = {
    version: 1,
    unit: 'worker',
    pid: stranger.pid,
    startTicks: stranger.startTicks,
    bootId: 'boot-0',
    exe: '/bin/worker',
    startedAtMs: 1,
  };
  bench.disk.files.set('/state/units/worker.json', JSON.stringify(record));
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  assert.notEqual(supervisor.status()[0]?.pid, stranger.pid);
  assert.equal(supervisor.status()[0]?.adopted, false);
});

test('a broken record is set aside, told, and the unit is found by its program', async () => {
  const bench = new UnitBench();
  const stray = bench.processes.add({ argv: ['/bin/worker', '--serve'] });
  bench.disk.files.set('/state/units/worker.json', '{"version":1,"unit":"wor');
  const { supervisor, board } = await bench.start([new FakeUnit('worker')]);
  assert.equal(supervisor.status()[0]?.pid, stray.pid);
  assert.equal(bench.disk.files.get('/state/units/worker.json.broken-1'), '{"version":1,"unit":"wor');
  assert.ok(board.eventsAfter(0).some((entry) => entry.event === 'unit.record-broken'));
});

test('a unit that the configuration no longer declares is told and left alone; a record of a dead one goes', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker'), new FakeUnit('other')]);
  const pid = supervisor.status()[0]?.pid;
  await supervisor.stop();
  bench.processes.end(supervisor.status()[1]?.pid ?? 0, { how: 'exited', code: 0 });
  const next = await bench.start([]);
  const told = next.board.eventsAfter(0).filter(({ event }) => event === 'unit.forgotten');
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ unit: 'worker', pid }],
  );
  assert.ok(bench.processes.living.some((process) => process.pid === pid));
  assert.deepEqual(await bench.disk.list('/state/units'), ['worker.json']);
});

test('the record of a unit that is no longer declared stays where nobody can tell whether it runs', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  await supervisor.stop();
  bench.processes.facts = () => Promise.reject(new Error('EMFILE'));
  await bench.start([]);
  assert.deepEqual(await bench.disk.list('/state/units'), ['worker.json']);
});

test('the record names the living process and goes away with an orderly stop', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  const path = '/state/units/worker.json';
  const record = decodeRecord('worker', bench.disk.files.get(path) ?? '');
  assert.equal(record?.identity.pid, bench.processes.living[0]?.pid);
  supervisor.stopUnit('worker');
  await bench.clock.advance(100);
  assert.equal(bench.disk.files.has(path), false);
});

test('a full disk costs the record, never the supervision', async () => {
  const bench = new UnitBench();
  bench.disk.fail('ENOSPC');
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
  bench.processes.end(bench.processes.living[0]?.pid ?? 0, killed);
  await bench.clock.advance(2_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
  assert.ok(bench.log.events().includes('unit.record-failed'));
});

test('a unit that hangs is told to go on if it was stopped, else ended and started again', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  const { supervisor } = await bench.start([worker]);
  const process = bench.processes.living[0];
  await bench.processes.signal({ pid: process?.pid ?? 0, startTicks: process?.startTicks ?? 0 }, 'SIGSTOP');
  worker.health = 'hang';
  await bench.clock.advance(5_000);
  assert.deepEqual(process?.signals, ['SIGSTOP', 'SIGCONT']);
  await bench.clock.advance(12_000);
  assert.deepEqual(process?.signals.slice(2), ['SIGTERM']);
  worker.health = { verdict: 'ready' };
  await bench.clock.advance(5_000);
  assert.deepEqual(
    { phase: supervisor.status()[0]?.phase, living: bench.processes.living.length },
    { phase: 'ready', living: 1 },
  );
});

test('SIGKILL follows when SIGTERM is ignored', async () => {
  const bench = new UnitBench();
  bench.processes.onTerm = 'ignores';
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  const process = bench.processes.living[0];
  supervisor.stopUnit('worker');
  await bench.clock.advance(4_900);
  assert.equal(supervisor.status()[0]?.phase, 'stopping');
  await bench.clock.advance(200);
  assert.deepEqual(process?.signals, ['SIGTERM', 'SIGCONT', 'SIGKILL']);
  assert.equal(supervisor.status()[0]?.phase, 'down');
});

test('probes never overlap and each has its deadline', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker', { policy: { silentLimit: 1_000 } });
  await bench.start([worker]);
  worker.health = 'hang';
  const before = worker.asked.length;
  await bench.clock.advance(30_000);
  const asked = worker.asked.length - before;
  assert.ok(asked >= 8 && asked <= 14, `${asked} probes in 30 s`);
});

test('a crash loop becomes a condition with the reason and is retried at the ceiling', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  worker.health = { verdict: 'unready', reason: 'Busy', message: 'never' };
  const { supervisor, board } = await bench.start([worker]);
  for (let round = 0; round < 4; round += 1) {
    bench.processes.end(bench.processes.living[0]?.pid ?? 0, { how: 'exited', code: 3 });
    await bench.clock.advance(round < 3 ? 4_000 : 0);
  }
  assert.equal(supervisor.status()[0]?.phase, 'failed');
  assert.equal(board.get('WorkerReady')?.reason, 'CrashLoop');
  assert.match(board.get('WorkerReady')?.message ?? '', /failed 4 times in a row, last with Ended/);
  assert.equal(bench.processes.living.length, 0);
  await bench.clock.advance(61_000);
  assert.equal(bench.processes.living.length, 1);
});

test('a permanent fault is tried again when the program changes, not before', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  worker.fault = { reason: 'ProgramMissing', message: '"/bin/worker" does not exist', isPermanent: true };
  const { supervisor } = await bench.start([worker], 60_000);
  assert.deepEqual(
    { phase: supervisor.status()[0]?.phase, prepared: worker.prepared },
    { phase: 'failed', prepared: 1 },
  );
  bench.programs.put('/bin/worker');
  await bench.clock.advance(60_000);
  assert.equal(worker.prepared, 2, 'another bad one is tried once too');
  worker.fault = undefined;
  bench.programs.put('/bin/worker');
  await bench.clock.advance(8_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
});

test('a refused spawn is a failure like any other', async () => {
  const bench = new UnitBench();
  bench.processes.refusal = 'EAGAIN';
  const { supervisor } = await bench.start([new FakeUnit('worker')], 10);
  assert.equal(supervisor.status()[0]?.lastEnd?.how, 'spawn-failed EAGAIN');
  bench.processes.refusal = undefined;
  await bench.clock.advance(10_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
});

test('a unit that another one needs cannot be stopped under it', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([
    new FakeUnit('dockerd'),
    new FakeUnit('edgecore', { needs: ['dockerd'] }),
  ]);
  assert.throws(() => supervisor.stopUnit('dockerd'), { code: 'UNIT_REFUSED' });
  assert.throws(() => supervisor.startUnit('nothing'), { code: 'UNIT_UNKNOWN' });
});

test('waitReady resolves at readiness and rejects at its deadline', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  worker.health = { verdict: 'unready', reason: 'Busy', message: 'still loading' };
  const { supervisor } = await bench.start([worker]);
  const late = assert.rejects(supervisor.waitReady('worker', 500, forever), { code: 'TIMED_OUT' });
  await bench.clock.advance(600);
  await late;
  worker.health = { verdict: 'ready' };
  const soon = supervisor.waitReady('worker', 5_000, forever);
  await bench.clock.advance(2_000);
  await soon;
});

test('a disk in trouble at the start is told by every unit, and the units come up when it is over', async () => {
  const bench = new UnitBench();
  bench.logs.trouble = 'ENOSPC: no space left on device';
  const { supervisor, board } = bench.agent([
    new FakeUnit('dockerd'),
    new FakeUnit('edgecore', { needs: ['dockerd'] }),
  ]);
  supervisor.announce();
  assert.equal(board.get('DockerdReady')?.reason, 'NotStarted');
  const started = supervisor.start(forever);
  await bench.clock.advance(25_000);
  for (const { reason, message } of supervisor.status()) {
    assert.equal(reason, 'CannotBegin');
    assert.match(message, /ENOSPC.*; see that/);
  }
  assert.equal(board.get('EdgecoreReady')?.reason, 'CannotBegin');
  bench.logs.trouble = undefined;
  await bench.clock.advance(20_000);
  await started;
  assert.deepEqual(
    supervisor.status().map(({ phase }) => phase),
    ['ready', 'ready'],
  );
});

test('a dormant unit is neither started nor on the board until it has something to do', async () => {
  const bench = new UnitBench();
  const edgecore = Object.assign(new FakeUnit('edgecore'), {
    dormancy: () => (isDormant ? { reason: 'NotJoined', message: 'run `agentctl join`' } : undefined),
  });
  let isDormant = true;
  const { supervisor, board } = await bench.start([edgecore]);
  assert.equal(board.get('EdgecoreReady'), undefined);
  assert.equal(supervisor.status()[0]?.reason, 'NotJoined');
  assert.equal(bench.processes.living.length, 0);
  const refusal = { code: 'UNIT_REFUSED', message: 'Cannot start "edgecore": run `agentctl join`' };
  assert.throws(() => supervisor.startUnit('edgecore'), refusal);
  assert.throws(() => supervisor.restartUnit('edgecore'), refusal);
  supervisor.stopUnit('edgecore');
  isDormant = false;
  supervisor.startUnit('edgecore');
  await bench.clock.advance(1_000);
  assert.equal(board.get('EdgecoreReady')?.status, 'true');
});

test('a unit that failed for good is tried again as soon as the wall clock was set', async () => {
  const bench = new UnitBench();
  const worker = new FakeUnit('worker');
  worker.fault = { reason: 'CertificateExpired', message: 'over since yesterday', isPermanent: true };
  const { supervisor } = await bench.start([worker]);
  await bench.clock.advance(20_000);
  assert.deepEqual([supervisor.status()[0]?.phase, worker.prepared], ['failed', 1]);
  worker.fault = undefined;
  bench.clock.setWall(bench.clock.wallMs() - 86_400_000);
  await bench.clock.advance(7_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
  await supervisor.stop();
});

test('what an earlier life said explains no later end', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  bench.logs.print('worker', 'listen tcp 127.0.0.1:80: bind: address already in use');
  bench.processes.end(bench.processes.living[0]?.pid ?? 0, { how: 'exited', code: 1 });
  await bench.clock.advance(2_000);
  assert.equal(supervisor.status()[0]?.lastEnd?.lines.length, 1);
  bench.processes.end(bench.processes.living[0]?.pid ?? 0, { how: 'exited', code: 2 });
  await bench.clock.advance(0);
  const { lastEnd, reason } = supervisor.status()[0] ?? {};
  assert.deepEqual([lastEnd?.lines, reason], [[], 'Ended']);
});

test('a unit that answers cheap questions only is found out, evidence is gathered, and it is started again', async () => {
  const bench = new UnitBench();
  const { policy } = new FakeUnit('worker');
  const worker = Object.assign(new FakeUnit('worker'), {
    probe: (depth: ProbeDepth): Promise<Health> => {
      if (isFrozen && depth !== 'cheap') return new Promise(() => undefined);
      return Promise.resolve(depth === 'start' ? { verdict: 'ready' } : { verdict: 'alive' });
    },
  });
  let isFrozen = false;
  const { supervisor, board } = await bench.start([worker]);
  const pid = supervisor.status()[0]?.pid;
  isFrozen = true;
  await bench.clock.advance(policy.deepMs + 4 * (policy.deepTimeoutMs + policy.probeMs) + 10_000);
  assert.notEqual(supervisor.status()[0]?.pid, pid);
  assert.ok(board.eventsAfter(0).some(({ event }) => event === 'unit.evidence'));
  isFrozen = false;
  await bench.clock.advance(60_000);
  assert.equal(supervisor.status()[0]?.phase, 'ready');
});

test('whoever runs and needs a unit that has forgotten everything starts anew; whoever is stopped stays so', async () => {
  const bench = new UnitBench();
  const needs = ['containerd'];
  const units = [new FakeUnit('containerd'), new FakeUnit('dockerd', { needs }), new FakeUnit('mapper')];
  const { supervisor } = await bench.start([...units, new FakeUnit('idle', { needs })]);
  supervisor.stopUnit('idle');
  await bench.clock.advance(100);
  supervisor.restartDependents('containerd');
  await bench.clock.advance(2_000);
  assert.deepEqual(
    supervisor.status().map(({ name, phase, starts }) => [name, phase, starts]),
    [
      ['containerd', 'ready', 1],
      ['dockerd', 'ready', 2],
      ['mapper', 'ready', 1],
      ['idle', 'down', 1],
    ],
  );
});

test('output that the disk did not take is told by the unit', async () => {
  const bench = new UnitBench();
  const { supervisor } = await bench.start([new FakeUnit('worker')]);
  assert.equal(supervisor.status()[0]?.droppedBytes, undefined);
  bench.logs.droppedBytes = 4_096;
  assert.equal(supervisor.status()[0]?.droppedBytes, 4_096);
});
