import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError } from '../../../agent/core/agent-error.ts';
import { productDir } from '../../../agent/core/constants.ts';
import { busyboxPath, makeImage } from '../../../agent/selftest/image.ts';
import { KubeClient } from '../../cloud/kube-client.ts';
import { file, type TreeEntry, text } from '../../image/tree.ts';
import type { Board } from '../board.ts';
import { importImage, inside, readStatus, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import { hasForgotten } from './forgotten.ts';
import type { Scenario } from './scenario.ts';
import { TrialNode } from './trial-node.ts';

/** Real programs, given in the environment. */
interface Given {
  /** edgecore for arm64, static; the release stands in a file `version` beside it or in KUBEEDGE. */
  readonly edgecore: string;
  readonly release: string;
  /** Address as the board sees it; the host's loopback is 10.0.2.2. */
  readonly cloudcore: string;
  readonly certPort: string;
  readonly token: string;
  readonly kubeconfig: string;
}

const pods = { host: true, bridge: false } as const;

/** Nothing stands in: edgecore, cloudcore and the cluster behind it are real, and whoever runs this brings them. */
export const edgecore: Scenario = {
  summary:
    'a real edgecore at a real cloudcore (EDGECORE, CLOUDCORE, TOKEN, KUBECONFIG): Ready, pods, kill -9',
  run: async ({ boot, progress }) => {
    const given = await readGiven(process.env);
    const tools = await mkdtemp(path.join(tmpdir(), 'oea-lab-'));
    const name = `lab-${Date.now().toString(36)}`;
    const node = new TrialNode(await KubeClient.open(given.kubeconfig, undefined), name);
    try {
      const board = await boot({ image: { extra: (parts) => product(given, tools, parts.busybox) } });
      await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
      await progress.step(`join as ${name}`, () => join(board, given, name));
      await progress.step('the node is Ready in the cluster', () => node.isReady());
      progress.say(`the Node says ${await node.kubelet()}`);
      await progress.step('the image of the pods is on the board', () => importForPods(board));
      for (const [kind, isHostNetwork] of Object.entries(pods)) {
        await progress.step(`a pod on the ${kind} network runs`, () => node.startPod(kind, isHostNetwork));
      }
      for (const victim of ['edgecore', 'dockerd', 'agent'] as const) {
        await progress.step(`kill -9 ${victim}: node and pods go on`, () => survives(board, node, victim));
      }
      await progress.step('the token is in no file and no command line', () =>
        hasForgotten(board, given.token),
      );
      await progress.step('the pods are deleted by the cluster', () => node.deletePods());
      await progress.step('leave', () => board.run('agentctl leave', { timeoutMs: 180_000 }));
      await progress.step('power off', () => board.powerOff());
    } finally {
      await node.remove();
      await rm(tools, { recursive: true, force: true });
    }
  },
};

async function readGiven(env: NodeJS.ProcessEnv): Promise<Given> {
  const wanted = ['EDGECORE', 'CLOUDCORE', 'TOKEN', 'KUBECONFIG'];
  const missing = wanted.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) {
    throw new AgentError(
      'USAGE',
      `Cannot run this scenario: it needs ${missing.join(', ')} in the environment`,
    );
  }
  const { EDGECORE = '', CLOUDCORE = '', TOKEN = '', KUBECONFIG = '', KUBEEDGE, CERT_PORT = '10002' } = env;
  const release = KUBEEDGE ?? (await readFile(path.join(path.dirname(EDGECORE), 'version'), 'utf8')).trim();
  return {
    edgecore: EDGECORE,
    release,
    cloudcore: CLOUDCORE,
    certPort: CERT_PORT,
    token: TOKEN.trim(),
    kubeconfig: KUBECONFIG,
  };
}

/** edgecore among the product's parts, and a sandbox image as an archive, because the board reaches no registry. */
async function product(given: Given, tools: string, busyboxFile: string): Promise<readonly TreeEntry[]> {
  const busybox = await readFile(busyboxFile);
  const archive = path.join(tools, 'pause.tar');
  const command = [busyboxPath, 'sleep', '2147483647'];
  await writeFile(archive, await makeImage({ busybox, architecture: 'arm64', name: 'lab-pause:1', command }));
  return [
    file(`${productDir}/kubeedge/edgecore`, given.edgecore, 0o755),
    text(`${productDir}/kubeedge/version`, `${given.release}\n`),
    file(`${productDir}/pause.tar`, archive),
  ];
}

async function join(board: Board, { cloudcore, certPort, token }: Given, name: string): Promise<void> {
  const to = `--cloudcore ${cloudcore} --cert-port ${certPort} --node-name ${name}`;
  await board.run(`agentctl join ${to} --token-file -`, { input: token, timeoutMs: 420_000 });
}

/** Puts the pods' image where either runtime looks: dockerd, and the namespace of CRI in its containerd. */
async function importForPods(board: Board): Promise<void> {
  await importImage(board);
  const socket = '/run/docker/containerd/containerd.sock';
  const copy = `docker save lab:1 | ctr -a ${socket} -n k8s.io images import -`;
  await board.run(inside(copy), { timeoutMs: 120_000 });
}

/** Kills one of the three with SIGKILL: another process takes its place, and no container is restarted. */
async function survives(
  board: Board,
  node: TrialNode,
  victim: 'edgecore' | 'dockerd' | 'agent',
): Promise<void> {
  const before = await node.containers();
  const pid = await pidOf(board, victim);
  const killedMs = Date.now();
  await board.run(`kill -9 ${pid}`);
  await eventually(`another ${victim} runs and all is ready`, 240_000, async () => {
    const now = await pidOf(board, victim).catch((error: unknown) => String(error));
    if (typeof now === 'string' || now === pid) return `pid ${now}, was ${pid}`;
    const status = await readStatus(board);
    return status.units.every(({ phase }) => phase === 'ready') || JSON.stringify(status.units);
  });
  // The kubelet tells at its start; later only what changes, and every five minutes.
  await node.isReady(victim === 'edgecore' ? killedMs : 0);
  expectEqual('the containers of the pods', await node.containers(), before);
}

async function pidOf(board: Board, name: 'edgecore' | 'dockerd' | 'agent'): Promise<number> {
  const { agent, units } = await readStatus(board);
  const pid = name === 'agent' ? agent.pid : units.find((unit) => unit.name === name)?.pid;
  if (pid === undefined) throw new AgentError('TOOL_FAILED', `${name} does not run`);
  return pid;
}
