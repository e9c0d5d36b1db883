import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { CloudProbe } from '../../agent/core/cloud-probe.ts';
import { cloudProgram } from '../../scripts/cloud/cloud-program.ts';
import { KubeClient } from '../../scripts/cloud/kube-client.ts';
import { runProgram } from '../../scripts/terminal/program.ts';
import { RecordedTerminal } from '../fakes/recorded-terminal.ts';
import { KubeServer } from './kube-server.ts';

/** The time that it is for the program. */
export const nowMs = Date.UTC(2025, 0, 1, 12, 0, 0);

interface NodeFacts {
  readonly ready?: string;
  readonly conditions?: readonly object[];
}

/** An edge node as Kubernetes has it. */
export function node(
  name: string,
  { ready = 'True', conditions = [] }: NodeFacts = {},
): Record<string, unknown> {
  const condition = {
    type: 'Ready',
    status: ready,
    reason: ready === 'True' ? 'KubeletReady' : 'NodeStatusUnknown',
    message: ready === 'True' ? 'ok' : 'Kubelet stopped posting node status.',
    lastTransitionTime: '2025-01-01T09:30:00Z',
  };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'node-role.kubernetes.io/edge': '' } },
    status: {
      conditions: [condition, ...conditions],
      nodeInfo: { kubeletVersion: 'v1.31.12-kubeedge-v1.22.1' },
    },
  };
}

/** What a run of the program came to. */
interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Cluster {
  readonly kube: KubeServer;
  readonly run: (...argv: string[]) => Promise<Ran>;
}

const nobody = { ok: false, reason: 'refused', message: 'connection refused' } as const;
const silentCloud: CloudProbe = {
  reach: () => Promise.resolve(nobody),
  enrolment: () => Promise.resolve(nobody),
  hasNode: () => Promise.resolve(undefined),
};

/** A cluster of three nodes, two of them at the edge, and the program to run against it. */
export async function cluster(
  t: TestContext,
  versions?: readonly string[],
  cloud: CloudProbe = silentCloud,
): Promise<Cluster> {
  const kube = await KubeServer.start(versions);
  t.after(() => kube.stop());
  kube.put('api/v1/nodes/board-1', node('board-1'));
  kube.put('api/v1/nodes/board-2', node('board-2', { ready: 'Unknown' }));
  kube.put('api/v1/nodes/master', { ...node('master'), metadata: { name: 'master', labels: {} } });
  const run = async (...argv: string[]): Promise<Ran> => {
    const terminal = new RecordedTerminal();
    let timeMs = nowMs;
    const ports = {
      terminal,
      nowMs: () => timeMs,
      openKube: (file: string | undefined, context: string | undefined) => KubeClient.open(file, context),
      cloud,
      sleep: (ms: number) => {
        timeMs += ms;
        return Promise.resolve();
      },
      untilInterrupted: () => new AbortController().signal,
    };
    const needsKube = !['ask', 'tell'].includes(argv[0] ?? '');
    const all = needsKube ? [...argv, '--kubeconfig', kube.kubeconfig] : argv;
    const code = await runProgram((finish) => cloudProgram(ports, finish), all, terminal);
    return { code, out: terminal.text(), err: terminal.complaint() };
  };
  return { kube, run };
}

/** The router of cloudcore with one answer. */
export async function router(
  t: TestContext,
  status: number,
  body: string,
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      asked.push(`${request.method} ${request.url} ${text}`.trim());
      response.writeHead(status);
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
