import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LocalNet } from '../../agent/core/local-net.ts';
import { EdgecoreProbe, probeTarget } from '../../agent/edge/edgecore-probe.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeUnitLogs } from '../fakes/fake-unit-logs.ts';

const signal = new AbortController().signal;

class Edge {
  readonly clock = new FakeClock();
  readonly logs = new FakeUnitLogs();
  isHealthy = true;
  isLinked = true;
  readonly net: LocalNet = {
    isPortFree: () => Promise.resolve(true),
    sourceAddress: () => Promise.resolve(undefined),
    isConnectedTo: () => Promise.resolve(this.isLinked),
    get: () => Promise.resolve(this.isHealthy ? { status: 200, text: 'ok' } : undefined),
  };
  readonly probe = new EdgecoreProbe({ clock: this.clock, net: this.net, logs: this.logs });

  async verdict(tree?: Parameters<typeof probeTarget>[1]): Promise<string> {
    const health = this.probe.judge(await this.probe.look(probeTarget('/etc/e.yaml', tree), signal));
    return 'reason' in health ? `${health.verdict} ${health.reason}` : health.verdict;
  }
}

test('edgecore is ready when it answers and has its link', async () => {
  assert.equal(await new Edge().verdict(), 'ready');
});

test('without the cloud it is unready with the reason of its log, for hours, and never silent', async () => {
  const edge = new Edge();
  edge.isLinked = false;
  edge.logs.print('edgecore', 'E0823 Init websocket connection failed dial tcp: connect: connection refused');
  for (let hour = 0; hour < 5; hour += 1) {
    assert.equal(await edge.verdict(), 'unready CloudRefused');
    await edge.clock.advance(3_600_000);
  }
});

test('the zombie: neither health nor link for three minutes is silent, less is not', async () => {
  const edge = new Edge();
  edge.isLinked = false;
  edge.isHealthy = false;
  assert.equal(await edge.verdict(), 'unready NotAnswering');
  await edge.clock.advance(170_000);
  assert.equal(await edge.verdict(), 'unready NotAnswering');
  edge.isLinked = true;
  assert.equal(await edge.verdict(), 'unready KubeletNotHealthy');
  edge.isLinked = false;
  await edge.clock.advance(170_000);
  assert.equal(await edge.verdict(), 'unready NotAnswering');
  await edge.clock.advance(181_000);
  assert.equal(await edge.verdict(), 'silent Zombie');
});

test('a module that the operator switched off is not asked', async () => {
  const edge = new Edge();
  edge.isHealthy = false;
  assert.equal(await edge.verdict({ modules: { edged: { enable: false } } }), 'ready');
  edge.isLinked = false;
  assert.equal(
    await edge.verdict({ modules: { edged: { enable: false }, edgeHub: { enable: false } } }),
    'ready',
  );
});

test('ports are those of the file', () => {
  const tree = {
    modules: {
      edgeHub: { websocket: { server: '[fd00::1]:30000' } },
      edged: { tailoredKubeletConfig: { readOnlyPort: 10_355 } },
    },
  };
  assert.deepEqual(probeTarget('/e', tree), { configFile: '/e', healthPort: 10_355, hubPort: 30_000 });
  assert.deepEqual(probeTarget('/e', {}), { configFile: '/e', healthPort: 10_350, hubPort: 10_000 });
});

test('modules that have stopped behind a health that answers are a zombie too, of this process only', async () => {
  const edge = new Edge();
  const line = (pid: number, text: string): string =>
    `W1124 03:37:24.278741    ${pid} process.go:426] ${text}`;
  edge.logs.print('edgecore', line(7, 'MetaManager main loop stop'));
  edge.logs.print('edgecore', line(8, 'Version: v1.15.2'));
  assert.equal(await edge.verdict(), 'ready');
  edge.logs.print('edgecore', line(8, 'listen tcp 127.0.0.1:10550: bind: address already in use'));
  edge.logs.print('edgecore', line(8, 'MetaManager main loop stop'));
  assert.equal(await edge.verdict(), 'unready MetaServerPortBusy');
  assert.equal(await edge.verdict(), 'silent MetaServerPortBusy');
  edge.probe.reset();
  edge.logs.print('edgecore', line(9, 'Version: v1.15.2'));
  assert.equal(await edge.verdict(), 'ready');
  edge.logs.print('edgecore', line(9, 'Get os signal terminated'));
  edge.logs.print('edgecore', line(9, 'EdgeHub RouteToCloud stop'));
  assert.equal(await edge.verdict(), 'ready', 'it was asked to');
});
