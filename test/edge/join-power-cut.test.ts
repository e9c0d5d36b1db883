import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitStatus } from '../../agent/api/wire.ts';
import { ConfigKeeper } from '../../agent/edge/config-keeper.ts';
import { EdgeExecutor } from '../../agent/edge/edge-executor.ts';
import { edgePlaces } from '../../agent/edge/edge-places.ts';
import { databaseFiles, planJoin } from '../../agent/edge/edge-plan.ts';
import type { EdgeUnits } from '../../agent/edge/edge-units.ts';
import { JoinBackup } from '../../agent/edge/join-backup.ts';
import { type NodeRecord, NodeRecords } from '../../agent/edge/node-record.ts';
import type { PodCleaner } from '../../agent/edge/pod-cleaner.ts';
import { needsManagedCri } from '../../agent/edge/runtime-choice.ts';
import { Secret } from '../../agent/edge/secret.ts';
import type { EdgeSettings } from '../../agent/edge/wanted-values.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakePartDisk } from '../fakes/fake-part-disk.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { unitStatus } from '../fakes/status-document.ts';
import { defaultsText, parsed, release, settings as usual } from './samples.ts';

const calm = new AbortController().signal;
const home = '/data';
const places = edgePlaces({ home, product: '/product', busybox: '/busybox', dockerBinDir: '/docker' });
const chosen = release('v1.22.1');
const program = { ok: true, path: '/edgecore', release: chosen, defaults: parsed(defaultsText(22)) } as const;
const settings = { ...usual, runtime: { kind: 'cri', endpoint: 'unix:///run/cri.sock' } } as const;
const elsewhere = { ...settings, cloud: { host: '10.0.9.9', hubPort: 10_000, enrolPort: 10_002 } };
const certificates = [places.caFile, places.certFile, places.keyFile];

/** A board that has joined one cluster, and an agent on it that can move it to another one. */
class Board {
  readonly ports;
  readonly records: NodeRecords;
  readonly disk: FakePartDisk;
  phase: UnitStatus['phase'] = 'down';
  /** Whether the dockerd that runs was started to serve CRI, as the supervision asks at each start of it. */
  servesCri = false;
  #dockerdStarts = 0;

  constructor(disk = new FakePartDisk()) {
    this.disk = disk;
    this.records = new NodeRecords(disk, places.stateDir);
    const units: EdgeUnits = {
      startUnit: () => this.become('starting'),
      stopUnit: () => this.become('down'),
      restartUnit: (name) => (name === 'dockerd' ? this.startDockerd() : this.become('starting')),
      status: () => [unitStatus('edgecore', this.phase), this.#dockerd()],
    };
    const { records } = this;
    const made = { clock: new FakeClock(), files: disk, records, log: new QuietLog(), places };
    const keeper = new ConfigKeeper(disk, places);
    const retract = () => Promise.resolve(true);
    const executor = new EdgeExecutor({ ...made, keeper, retract, units, pods: {} as PodCleaner });
    this.ports = { ...made, executor, units: () => units };
  }

  become(phase: UnitStatus['phase']): UnitStatus {
    this.phase = phase;
    return unitStatus('edgecore', phase);
  }

  startDockerd(): UnitStatus {
    this.#dockerdStarts += 1;
    const { current } = this.records;
    this.servesCri = current !== undefined && needsManagedCri(current.runtime, places);
    return this.#dockerd();
  }

  #dockerd(): UnitStatus {
    return { ...unitStatus('dockerd', 'ready'), pid: 100 + this.#dockerdStarts };
  }

  /** Everything of it that another cluster would change. */
  content(): readonly (readonly [string, string])[] {
    const names = [...this.disk.live.keys()].filter((name) => !/\/cni\/|\.new$/.test(name));
    return names.sort().flatMap((name) => {
      const text = this.disk.text(name);
      return text === undefined ? [] : [[name, text] as const];
    });
  }

  /** The steps of a join, up to where only the cloud's answer is missing. */
  async join(given: EdgeSettings, record: NodeRecord | undefined): Promise<JoinBackup> {
    const situation = {
      settings: given,
      release: chosen,
      record,
      isEnrolling: true,
      hasCertificates: record !== undefined,
      isOtherCluster: record !== undefined,
      isActive: true,
      cni: { plugins: [], networks: [] },
      installedPlugins: [],
      podSubnet: '10.1.0.0/16',
      kept: [],
      kubeedge: undefined,
      nowMs: 1,
    };
    const steps = planJoin(situation, places);
    const backup = await JoinBackup.take(this.ports, record, steps);
    const token = new Secret('of the new cluster');
    await this.ports.executor.run(steps, { program, settings: given, token }, calm);
    await backup.complete();
    return backup;
  }

  /** A node of the first cluster, with certificate, key and pods. */
  static async joined(): Promise<Board> {
    const board = new Board();
    await (await board.join(settings, undefined)).discard();
    await board.disk.remove(places.bootstrapFile);
    for (const file of certificates) await board.disk.replace(file, `old ${file}`);
    for (const file of databaseFiles(places)) await board.disk.replace(file, `old ${file}`);
    return board;
  }

  /** What the edgecore of the new cluster writes before it is refused. */
  async edgecoreRuns(): Promise<void> {
    for (const file of databaseFiles(places)) await this.disk.replace(file, `new ${file}`);
  }
}

test('a refused move to another runtime leaves dockerd as it was: serving CRI, or not', async () => {
  const managed = { kind: 'cri', endpoint: `unix://${places.containerdSocket}` } as const;
  const docker = { kind: 'docker', endpoint: `unix://${places.dockerSocket}` } as const;
  for (const [from, to] of [
    [docker, managed],
    [managed, docker],
  ]) {
    const board = new Board();
    await (await board.join({ ...settings, runtime: from ?? docker }, undefined)).discard();
    board.startDockerd();
    const { servesCri } = board;
    const move = await board.join({ ...elsewhere, runtime: to ?? managed }, await board.records.read());
    // For whatever reason.
    board.startDockerd();
    assert.notEqual(board.servesCri, servesCri);
    await move.restore();
    assert.equal(board.servesCri, servesCri);
  }
});

async function cut(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => assert.match(String(error), /The power has gone/));
}

for (const shown of ['live', 'durable'] as const) {
  test(`a power cut after any step of a move to another cluster leaves the old one whole (${shown})`, async () => {
    const whole = await Board.joined();
    const [before, first] = [whole.content(), whole.disk.steps];
    const record = await whole.records.read();
    await whole.join(elsewhere, record);
    const steps = whole.disk.steps - first;
    assert.ok(steps > 20, `only ${steps} steps`);
    for (let at = 0; at < steps; at += 1) {
      const board = await Board.joined();
      board.disk.stepsLeft = at;
      await cut(board.join(elsewhere, await board.records.read()));
      const next = new Board(board.disk.afterCut(shown));
      const left = await JoinBackup.find(next.ports);
      // The very last step may have come through: then the new one is whole, and its cloud is asked.
      if (left?.isDone === true && at === steps - 1) continue;
      assert.notEqual(left?.isDone, true, `step ${at}`);
      await left?.restore();
      assert.deepEqual(next.content(), before, `step ${at}`);
      assert.equal(next.phase, left === undefined ? 'down' : 'starting', `step ${at}`);
      assert.deepEqual(await next.records.read(), record, `step ${at}`);
    }
  });

  test(`a power cut while a refused join is taken back only makes the next agent go on with it (${shown})`, async () => {
    const before = (await Board.joined()).content();
    for (let at = 0, isOver = false; !isOver; at += 1) {
      const board = await Board.joined();
      await board.join(elsewhere, await board.records.read());
      await board.edgecoreRuns();
      const next = new Board(board.disk.afterCut(shown));
      const left = await JoinBackup.find(next.ports);
      assert.equal(left?.isDone, true);
      next.disk.stepsLeft = at;
      await cut(left.restore());
      isOver = next.disk.stepsLeft > 0;
      const last = new Board(next.disk.afterCut(shown));
      const rest = await JoinBackup.find(last.ports);
      await rest?.restore();
      assert.deepEqual(last.content(), before, `step ${at}`);
      assert.ok(at < 500, 'it has an end');
    }
  });

  test(`a power cut while a join becomes final never brings the old cluster back (${shown})`, async () => {
    for (let at = 0, isOver = false; !isOver; at += 1) {
      const board = await Board.joined();
      const backup = await board.join(elsewhere, await board.records.read());
      await board.edgecoreRuns();
      board.disk.stepsLeft = at;
      await cut(backup.discard());
      isOver = board.disk.stepsLeft > 0;
      const next = new Board(board.disk.afterCut(shown));
      assert.notEqual((await JoinBackup.find(next.ports))?.isDone, false, `step ${at}`);
      assert.equal((await next.records.read())?.cloud.host, '10.0.9.9');
      assert.equal(next.disk.text(places.databaseFile), `new ${places.databaseFile}`);
      assert.ok(at < 500, 'it has an end');
    }
  });
}
