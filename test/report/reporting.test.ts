import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Verbs } from '../../agent/api/verbs.ts';
import { defaultConfig } from '../../agent/config/default-config.ts';
import type { Api } from '../../agent/core/api-port.ts';
import type { Clock } from '../../agent/core/clock.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HttpClient } from '../../agent/host/http-client.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { Reporting } from '../../agent/reporting.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEdgeNodes } from '../fakes/fake-edge-nodes.ts';
import { freePort } from '../fakes/free-port.ts';
import { patience } from '../fakes/patience.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { statusDocument, unitStatus } from '../fakes/status-document.ts';

const forever = new AbortController().signal;

function reportingOn(
  t: TestContext,
  nodes: FakeEdgeNodes,
  port: number,
  { clock = new SystemClock(), settings = {} }: { readonly clock?: Clock; readonly settings?: object } = {},
) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'reporting-'));
  mkdirSync(path.join(home, 'state'));
  t.after(() => rmSync(home, { recursive: true }));
  const board = new HealthBoard(clock);
  const log = new QuietLog();
  const verbs = { status: () => statusDocument(board, [unitStatus('dockerd', 'ready')]) } as unknown as Verbs;
  const reporting = new Reporting({
    config: { ...defaultConfig(), 'query.port': port, 'dockerd.dataRoot': '/nowhere', ...settings },
    home,
    clock,
    random: Math.random,
    board,
    log,
    files: new FileStore(),
    docker: { request: () => Promise.reject(new Error('no dockerd')) },
    unitLogs: { capture: () => Promise.reject(new Error('never')), lines: async function* () {} },
    nodes,
    gate: new SpeakerGate(),
    verbs: () => verbs,
    api: () => ({}) as Api,
  });
  return { reporting, board, log, home };
}

test('a board that has joined nothing keeps its ledger and its samples, and opens no port', async (t) => {
  const { reporting, board, home } = reportingOn(t, new FakeEdgeNodes(), 10_661);
  await reporting.startLedger();
  await reporting.start(forever);
  board.record('unit.changed', { unit: 'dockerd', to: 'waiting', reason: 'Exited', message: 'm' });
  assert.equal(board.get('MemoryPressure')?.status !== undefined, true);
  assert.equal(reporting.sampler.latest()?.disks.length, 1);
  assert.equal(reporting.state().broker.phase, 'idle');
  await reporting.stop();
  const text = readFileSync(path.join(home, 'state/ledger.records'), 'utf8');
  assert.equal(text.trim().split('\n').length, 2);
  const asking = new HttpClient().call(
    { method: 'GET', url: 'http://127.0.0.1:10661/', timeoutMs: 1_000 },
    forever,
  );
  await assert.rejects(asking, { code: 'AGENT_UNREACHABLE' });
});

test('a board that has joined answers questions and metrics, also when it joins later', async (t) => {
  const nodes = new FakeEdgeNodes();
  const { reporting } = reportingOn(t, nodes, 10_662);
  await reporting.startLedger();
  await reporting.start(forever);
  nodes.become({ broker: undefined });
  const ask = async (target: string): Promise<string> => {
    for (let tries = 0; ; tries += 1) {
      try {
        const url = `http://127.0.0.1:10662${target}`;
        return (await new HttpClient().call({ method: 'GET', url, timeoutMs: 2_000 }, forever)).body;
      } catch (error) {
        if (tries === 50) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const overview = JSON.parse(await ask('/agent-health')) as Record<string, unknown>;
  assert.deepEqual([overview['schema'], overview['node']], [1, 'board-1']);
  assert.match(await ask('/agent-health/metrics'), /edge_board_memory_total_bytes \d+/);
  await reporting.stop();
});

test('what one cluster was not told is not told to the next one', async (t) => {
  const nodes = new FakeEdgeNodes({ broker: undefined, hub: undefined });
  const settings = { 'report.topic': 'default/agent/report', 'query.enabled': false };
  const { reporting, board, home } = reportingOn(t, nodes, 10_665, { settings });
  await reporting.startLedger();
  await reporting.start(forever);
  board.record('unit.changed', { unit: 'dockerd', to: 'waiting', reason: 'Exited', message: 'm' });
  for (const until = patience(); reporting.state().waiting === 0; until.throwIfAborted()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  await reporting.retract(forever);
  board.record('unit.changed', { unit: 'dockerd', to: 'failed', reason: 'Gone', message: 'm' });
  await reporting.stop();
  assert.equal(reporting.state().waiting, 0);
  for (const name of ['journal', 'events'])
    assert.doesNotMatch(readFileSync(path.join(home, `state/${name}.records`), 'utf8'), /dockerd/);
});

test('the listener for other machines comes as soon as its files are there', async (t) => {
  const clock = new FakeClock();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'reporting-lan-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const port = await freePort();
  const settings = {
    'listen.enabled': true,
    'listen.address': '127.0.0.1',
    'listen.port': port,
    'listen.caFile': cert,
    'listen.certFile': cert,
    'listen.keyFile': key,
  };
  const { reporting, log } = reportingOn(t, new FakeEdgeNodes(), 10_664, { clock, settings });
  await reporting.startLedger();
  await reporting.start(forever);
  t.after(() => reporting.stop());
  for (let minutes = 0; minutes < 5; minutes += 1) await clock.advance(60_000);
  assert.deepEqual(
    log.events().filter((event) => event.startsWith('lan.')),
    ['lan.unreachable'],
    'a lasting fault is told once',
  );
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=lan'];
  execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  while (!log.events().includes('lan.listening')) await clock.advance(60_000);
  await new Promise<void>((resolve, reject) => {
    net.connect(port, '127.0.0.1', resolve).once('error', reject).unref();
  });
});
