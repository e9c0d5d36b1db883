import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { Verbs } from '../../agent/api/verbs.ts';
import { defaultConfig } from '../../agent/config/default-config.ts';
import type { Api } from '../../agent/core/api-port.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { HostCloudProbe } from '../../agent/host/cloud-probe.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { Reporting } from '../../agent/reporting.ts';
import { cloudProgram } from '../../scripts/cloud/cloud-program.ts';
import { routerObjects } from '../../scripts/cloud/manifests.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { bundleEdgecore } from '../standins/bundle.ts';
import { CloudHub } from '../standins/cloudhub/cloudhub.ts';
import { Router } from '../standins/cloudhub/router.ts';
import { FakeEdgeNodes } from './fake-edge-nodes.ts';
import { QuietLog } from './quiet-log.ts';
import { RecordedTerminal } from './recorded-terminal.ts';
import { statusDocument, unitStatus } from './status-document.ts';

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A cloud with its router, an edgecore to start and the reports of an agent, all with real sockets; cloud and edgecore are stand-ins. */
export async function standinCluster(t: TestContext, version: string) {
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
  const restarted: string[] = [];
  const verbs = {
    status: () => statusDocument(board, [unitStatus('edgecore', phase)]),
    restartUnit: (name: string) => {
      restarted.push(name);
      return Promise.resolve(unitStatus(name, 'stopping'));
    },
  } as unknown as Verbs;
  writeFileSync(file('command.key'), 'k'.repeat(40));
  mkdirSync(file('state'));
  const reporting = new Reporting({
    config: {
      ...defaultConfig(),
      'query.port': questions,
      'report.intervalMs': 1_000,
      'command.verbs': ['restart-unit'],
      'command.keyFile': file('command.key'),
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
  const wishes = { namespace: 'default', queryPort: questions, hasCommands: true, reportUrl: undefined };
  const router = await Router.start(cloud, routerObjects(wishes), { retryMs: 1 });
  t.after(() => router.stop());
  const ports = {
    openKube: () => Promise.reject(new Error('nobody asks Kubernetes here')),
    cloud: new HostCloudProbe(),
    nowMs: () => Date.now(),
    sleep: async (ms: number) => sleep(ms),
  };
  /** Runs `npm run cloud -- ARGUMENTS` against the router. */
  const run = async (...argv: string[]): Promise<{ code: number; out: string; err: string }> => {
    const terminal = new RecordedTerminal();
    const all = [...argv, '--router', router.url];
    const code = await runProgram((finish) => cloudProgram({ ...ports, terminal }, finish), all, terminal);
    return { code, out: terminal.text(), err: terminal.complaint() };
  };
  return { cloud, start, gate, become, reporting, router, run, restarted, keyFile: file('command.key') };
}
