import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeclaredUnit } from '../../agent/units/declared-unit.ts';
import { FakeSockets } from '../fakes/fake-programs.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';
import { UnitBench } from '../fakes/unit-bench.ts';

const declaration = {
  name: 'mapper',
  argv: ['/bin/mapper', '--fast'],
  env: {},
  cwd: '/',
  needs: [],
  stopMs: 1_000,
  startMs: 10_000,
  oomScoreAdj: 0,
};

function mapper(bench: UnitBench): DeclaredUnit {
  bench.programs.put('/bin/mapper');
  const { restart } = fakePolicy;
  const shared = { restart, programs: bench.programs, sockets: new FakeSockets() };
  return new DeclaredUnit(declaration, { ...shared, env: () => ({}), isInRootGroups: false });
}

test('a declared unit whose record was never written is taken over by its mark, a stranger is left alone', async () => {
  const bench = new UnitBench();
  const stranger = bench.processes.add({ argv: ['/bin/mapper', '--fast'] });
  const first = await bench.start([mapper(bench)]);
  const pid = first.supervisor.status()[0]?.pid;
  await first.supervisor.stop();
  bench.disk.files.clear();
  const second = await bench.start([mapper(bench)]);
  const [status] = second.supervisor.status();
  assert.deepEqual([status?.pid, status?.adopted, status?.phase], [pid, true, 'ready']);
  assert.deepEqual([bench.processes.living.length, stranger.signals], [2, []]);
  await second.supervisor.stop();
});
