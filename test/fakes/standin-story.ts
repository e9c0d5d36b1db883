import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import type { Verbs } from '../../agent/api/verbs.ts';
import { defaultConfig } from '../../agent/config/default-config.ts';
import type { Api } from '../../agent/core/api-port.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { twinProperties } from '../../agent/report/twin-properties.ts';
import { Reporting } from '../../agent/reporting.ts';
import { bundleEdgecore } from '../standins/bundle.ts';
import { CloudHub } from '../standins/cloudhub/cloudhub.ts';
import { conditionOf } from '../standins/cloudhub/store.ts';
import { newMessage } from '../standins/message.ts';
import { FakeEdgeNodes } from './fake-edge-nodes.ts';
import { QuietLog } from './quiet-log.ts';
import { statusDocument, unitStatus } from './status-document.ts';

const patience = (ms = 20_000): AbortSignal => AbortSignal.timeout(ms);

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A cloud, a running edgecore and the reports of an agent, all with real sockets; cloud and edgecore are stand-ins. */
async function cluster(t: TestContext, version: string) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'reports-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const cloud = await CloudHub.start({ version });
  t.after(() => cloud.stop());
  const runtime = net.createServer();
  await new Promise<void>((resolve) => runtime.listen(path.join(home, 'runtime.sock'), resolve));
  t.after(() => runtime.close());
  const [mqtt, health, questions] = [await freePort(), await freePort(), await freePort()];
  const file = (name: string): string => path.join(home, name);
  const tls = { caFile: file('ca.crt'), certFile: file('server.crt'), keyFile: file('server.key') };
  writeFileSync(
    file('edgecore.yaml'),
    stringify({
      modules: {
        edgeHub: {
          heartbeat: 1,
          httpServer: `https://127.0.0.1:${cloud.enrolPort}`,
          token: cloud.token(),
          websocket: { server: `127.0.0.1:${cloud.hubPort}` },
          tlsCaFile: tls.caFile,
          tlsCertFile: tls.certFile,
          tlsPrivateKeyFile: tls.keyFile,
        },
        edged: {
          hostnameOverride: 'n1',
          // Up to 1.13 the default runtime is docker, by this name.
          dockerEndpoint: `unix://${home}/runtime.sock`,
          tailoredKubeletConfig: {
            containerRuntimeEndpoint: `unix://${home}/runtime.sock`,
            readOnlyPort: health,
            nodeStatusUpdateFrequency: '1s',
          },
        },
        eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${mqtt}` },
        serviceBus: { enable: true },
      },
    }),
  );
  const launcher = await bundleEdgecore(file('bin'), { node: process.execPath, version });
  const start = (): ChildProcess => {
    const env = {
      PATH: process.env['PATH'],
      STANDIN_FAULTS: file('faults.json'),
      STANDIN_BOOTSTRAP: file('none'),
      STANDIN_DIAL_MS: '50',
    };
    return spawn(launcher, ['--config', file('edgecore.yaml')], { stdio: 'ignore', env });
  };
  const nodes = new FakeEdgeNodes({
    node: 'n1',
    edgecoreVersion: version,
    broker: { url: `tcp://127.0.0.1:${mqtt}` },
    hub: { host: '127.0.0.1', port: cloud.hubPort, projectId: 'p', tls },
  });
  const clock = new SystemClock();
  const [board, gate] = [new HealthBoard(clock), new SpeakerGate()];
  let phase: 'ready' | 'failed' = 'ready';
  const verbs = { status: () => statusDocument(board, [unitStatus('edgecore', phase)]) } as unknown as Verbs;
  mkdirSync(file('state'));
  const reporting = new Reporting({
    config: {
      ...defaultConfig(),
      'query.port': questions,
      'report.intervalMs': 1_000,
      'dockerd.dataRoot': '/nowhere',
    },
    home,
    clock,
    random: Math.random,
    board,
    log: new QuietLog(),
    files: new FileStore(),
    docker: { request: () => Promise.reject(new Error('no dockerd')) },
    unitLogs: { capture: () => Promise.reject(new Error('never')), lines: async function* () {} },
    nodes,
    gate,
    verbs: () => verbs,
    api: () => ({}) as Api,
  });
  const become = (next: 'ready' | 'failed'): void => {
    phase = next;
    const isGood = next === 'ready';
    board.set('EdgecoreReady', isGood ? 'true' : 'false', {
      reason: isGood ? 'Ready' : 'CrashLoop',
      message: 'm',
    });
  };
  const ask = async (target: string): Promise<Record<string, unknown>> => {
    const route = {
      source: 'router_servicebus',
      group: 'user',
      operation: 'get',
      resource: `${questions}:${target}`,
    };
    const reply = await cloud.ask(
      'n1',
      newMessage(route, { method: 'GET', header: null, body: null }),
      patience(),
    );
    const { status_code: status, body } = reply.content as { status_code: number; body: string };
    assert.equal(status, 200);
    return JSON.parse(Buffer.from(body, 'base64').toString()) as Record<string, unknown>;
  };
  return { cloud, start, gate, become, reporting, ask };
}

/**
 * The whole story with one release: the twin reaches the Device object, a thousand questions come through, and the Node
 * says why edgecore is gone, and that it is back.
 */
export async function standinStory(t: TestContext, version: string): Promise<void> {
  const { cloud, start, gate, become, reporting, ask } = await cluster(t, version);
  let edgecore = start();
  t.after(() => edgecore.kill('SIGKILL'));
  const node = { namespace: '', name: 'n1' };
  await cloud.store.until(() => cloud.store.get('node', node), patience());
  gate.edgecoreAdopted();
  become('ready');
  cloud.devices.add({
    namespace: 'factory',
    name: 'n1-agent',
    nodeName: 'n1',
    properties: twinProperties.map(({ name }) => name),
  });
  await reporting.startLedger();
  await reporting.start(new AbortController().signal);
  t.after(() => reporting.stop());
  const device = () => cloud.devices.list()[0];
  await cloud.store.until(() => (device()?.reported['edgecore'] === 'ready' ? true : undefined), patience());
  assert.equal(device()?.reported['agent'], '1.2.3');

  const began = performance.now();
  for (let answered = 0; answered < 1_000; ) {
    const { error, conditions } = (await ask('/agent-health/conditions')) as {
      error?: { code: string };
      conditions?: unknown[];
    };
    // The stand-ins are faster than a real router; the board answers 200 questions a second.
    if (error?.code === 'BUSY') await new Promise((resolve) => setTimeout(resolve, 100));
    else {
      assert.equal(conditions?.length, 3);
      answered += 1;
    }
  }
  t.diagnostic(`1000 questions through the stand-ins in ${Math.round(performance.now() - began)} ms`);
  for (const target of [
    '/agent-health/../../etc/passwd',
    '/logs/..%2f..',
    `/${'x'.repeat(10_000)}`,
    `/${'x'.repeat(60_000)}`,
    '/agent-health/nothing?limit=9e9',
  ]) {
    assert.ok((await ask(target))['error'], target);
  }

  const says = (status: string) => () =>
    conditionOf(cloud.store.get('node', node), 'EdgecoreReady')?.['status'] === status ? true : undefined;
  await cloud.store.until(says('True'), patience(40_000));
  edgecore.kill('SIGKILL');
  await once(edgecore, 'close');
  gate.edgecoreEnded();
  become('failed');
  const failedMs = performance.now();
  await cloud.store.until(says('False'), patience(15_000));
  await gate.edgecoreStarts();
  edgecore = start();
  await cloud.store.until(() => (cloud.nodes().includes('n1') ? true : undefined), patience());
  become('ready');
  const mendedMs = performance.now();
  await cloud.store.until(says('True'), patience(15_000));
  const [told, mended] = [mendedMs - failedMs, performance.now() - mendedMs].map(Math.round);
  t.diagnostic(
    `Node says False within ${told} ms of the crash (restart included), True ${mended} ms after the cure`,
  );
}
