import { type ChildProcess, spawn } from 'node:child_process';
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
import { Reporting } from '../../agent/reporting.ts';
import { bundleEdgecore } from '../standins/bundle.ts';
import { FakeEdgeNodes } from './fake-edge-nodes.ts';
import { freePort } from './free-port.ts';
import { QuietLog } from './quiet-log.ts';
import { statusDocument, unitStatus } from './status-document.ts';

/** Where a cloud is, a stand-in or a real one. */
export interface CloudPlace {
  readonly host: string;
  readonly hubPort: number;
  readonly enrolPort: number;
  readonly token: () => string;
}

/** An edgecore to start, which is a stand-in, and the real reports of an agent beside it, all with real sockets. */
export async function edgeBoard(t: TestContext, node: string, version: string, place: CloudPlace) {
  const home = mkdtempSync(path.join(os.tmpdir(), 'reports-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
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
          httpServer: `https://${place.host}:${place.enrolPort}`,
          token: place.token(),
          websocket: { server: `${place.host}:${place.hubPort}` },
          tlsCaFile: tls.caFile,
          tlsCertFile: tls.certFile,
          tlsPrivateKeyFile: tls.keyFile,
        },
        edged: {
          hostnameOverride: node,
          // Up to 1.13 the default runtime is docker, by this name.
          dockerEndpoint: `unix://${home}/runtime.sock`,
          tailoredKubeletConfig: {
            containerRuntimeEndpoint: `unix://${home}/runtime.sock`,
            imageServiceEndpoint: `unix://${home}/runtime.sock`,
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
    node,
    edgecoreVersion: version,
    broker: { url: `tcp://127.0.0.1:${mqtt}` },
    hub: { host: place.host, port: place.hubPort, projectId: 'p', tls },
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
  return { start, gate, become, reporting, restarted, questions, keyFile: file('command.key') };
}
