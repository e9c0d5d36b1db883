import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DockerApi } from '../../agent/core/docker.ts';
import type { Inventory, Sample, Samples } from '../../agent/core/samples.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { diskPressure, memoryPressure } from '../../agent/health/pressure.ts';
import { Sampler } from '../../agent/health/sampler.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const limits = { enterPercent: 10, leavePercent: 15 };

class FakeSamples implements Samples {
  availableBytes = 500;
  freeBytes = 500;
  isBroken = false;

  inventory(): Promise<Inventory> {
    const facts = { model: 'Board', system: 'System', kernel: '5.10', arch: 'arm64', bootId: 'boot' };
    return Promise.resolve({ ...facts, cores: 4, memoryBytes: 1_000 });
  }

  sample(): Promise<Sample> {
    if (this.isBroken) return Promise.reject(new Error('dead flash'));
    const disk = {
      path: '/data',
      totalBytes: 1_000,
      freeBytes: this.freeBytes,
      totalInodes: 0,
      freeInodes: 0,
    };
    return Promise.resolve({
      atMs: 0,
      cpuPercent: 1,
      load: 0,
      memory: { totalBytes: 1_000, availableBytes: this.availableBytes },
      temperatureC: undefined,
      disks: [disk],
      wear: [],
      writtenBytes: 0,
      network: [],
      self: { memoryBytes: 0, writtenBytes: 0 },
    });
  }
}

async function running(): Promise<{
  samples: FakeSamples;
  board: HealthBoard;
  clock: FakeClock;
  sampler: Sampler;
  log: QuietLog;
}> {
  const [samples, clock, log] = [new FakeSamples(), new FakeClock(), new QuietLog()];
  const board = new HealthBoard(clock);
  const sampler = new Sampler({
    samples,
    board,
    clock,
    log,
    intervalMs: 60_000,
    memory: limits,
    disk: limits,
  });
  await sampler.start(new AbortController().signal);
  return { samples, board, clock, sampler, log };
}

test('a pressure begins below the one limit and ends above the other', async () => {
  const { samples, board, clock } = await running();
  const seen: string[] = [];
  for (const percent of [50, 9.9, 12, 14.9, 15.1, 12, 9]) {
    samples.freeBytes = percent * 10;
    await clock.advance(60_000);
    seen.push(board.get('DiskPressure')?.status ?? '');
  }
  assert.deepEqual(seen, ['false', 'true', 'true', 'true', 'false', 'false', 'true']);
});

test('the message says how much is left and what to do', () => {
  const disk = { path: '/data', totalBytes: 1e9, freeBytes: 5e7, totalInodes: 100, freeInodes: 50 };
  const { message } = diskPressure([disk], false, limits);
  assert.match(
    message,
    /5 % of the bytes of "\/data" are free \(48 MiB\), want more than 15 %; `docker system prune`/,
  );
});

test('no inodes left is a full disk too', () => {
  const disk = { path: '/data', totalBytes: 100, freeBytes: 90, totalInodes: 1_000, freeInodes: 3 };
  assert.match(diskPressure([disk], false, limits).message, /0.3 % of the inodes/);
});

test('no walk between the limits ever makes a pressure flutter', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 10, max: 15, noNaN: true })), fc.boolean(), (walk, start) => {
      const memory = (percent: number) => ({ totalBytes: 1e6, availableBytes: percent * 1e4 });
      assert.ok(walk.every((percent) => memoryPressure(memory(percent), start, limits).isPressed === start));
    }),
  );
});

test('a failing look is logged and the next one comes', async () => {
  const { samples, clock, sampler, log } = await running();
  samples.isBroken = true;
  await clock.advance(60_000);
  samples.isBroken = false;
  await clock.advance(60_000);
  assert.deepEqual(log.events(), ['sample.failed']);
  assert.equal(sampler.past().length, 2);
});

test('the past is short and stop leaves no timer', async () => {
  const { clock, sampler } = await running();
  await clock.advance(60_000 * 300);
  assert.equal(sampler.past().length, 120);
  await sampler.stop();
  assert.equal(sampler.inventory()?.cores, 4);
});

test('containers are counted only while dockerd is ready', async () => {
  const clock = new FakeClock();
  const board = new HealthBoard(clock);
  const asked: string[] = [];
  const states = ['running', 'exited', 'paused', 'running', 'restarting', 'created', 'dead'];
  const body = new TextEncoder().encode(JSON.stringify(states.map((State) => ({ State }))));
  const docker = {
    request: ({ path }: { readonly path: string }) => {
      asked.push(path);
      return Promise.resolve({ status: 200, body });
    },
  };
  const options = {
    samples: new FakeSamples(),
    board,
    clock,
    log: new QuietLog(),
    docker,
    intervalMs: 60_000,
  };
  const sampler = new Sampler({ ...options, memory: limits, disk: limits });
  await sampler.start(new AbortController().signal);
  assert.deepEqual([asked, sampler.latest()?.containers], [[], undefined]);
  board.set('DockerReady', 'true', { reason: 'Ready', message: '' });
  await clock.advance(60_000);
  assert.deepEqual(sampler.latest()?.containers, { running: 2, paused: 1, stopped: 4 });
  // For /info and /version dockerd starts runc and docker-init each time.
  assert.deepEqual(asked, ['/containers/json?all=1']);
  await sampler.stop();
});

test('a dockerd that hangs keeps no pressure from being told, and the next look comes in time', async () => {
  const [samples, clock] = [new FakeSamples(), new FakeClock()];
  const board = new HealthBoard(clock);
  const looked: number[] = [];
  const docker: DockerApi = {
    request: async ({ timeoutMs }, signal) => {
      looked.push(clock.nowMs());
      await clock.sleep(timeoutMs, signal);
      throw new Error('no answer');
    },
  };
  const options = { samples, board, clock, docker, log: new QuietLog(), memory: limits, disk: limits };
  const sampler = new Sampler({ ...options, intervalMs: 60_000 });
  await sampler.start(new AbortController().signal);
  board.set('DockerReady', 'true', { reason: 'Ready', message: '' });
  samples.freeBytes = 10;
  const startedMs = clock.nowMs();
  await clock.advance(60_000);
  assert.equal(board.get('DiskPressure')?.status, 'true');
  await clock.advance(60_000);
  assert.deepEqual(
    looked.map((ms) => ms - startedMs),
    [60_000, 120_000],
  );
  await sampler.stop();
});

test('a wall clock that is set is told, one that is adjusted is not', async () => {
  const { board, clock, sampler } = await running();
  const jumps = () => board.eventsAfter(0).filter(({ event }) => event === 'clock.jumped');
  clock.setWall(clock.wallMs() + 1_000);
  await clock.advance(60_000);
  assert.deepEqual(jumps(), []);
  clock.setWall(clock.wallMs() - 3_600_000);
  await clock.advance(120_000);
  assert.deepEqual(
    jumps().map(({ fields }) => fields['byMs']),
    [-3_600_000],
  );
  await sampler.stop();
});
