import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { productDir } from '../../../agent/core/constants.ts';
import { bundleEdgecore } from '../../../test/standins/bundle.ts';
import { CloudHub } from '../../../test/standins/cloudhub/cloudhub.ts';
import { conditionOf } from '../../../test/standins/cloudhub/store.ts';
import { directory, file, type TreeEntry, text } from '../../image/tree.ts';
import type { Board } from '../board.ts';
import { inside, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import { hasForgotten } from './forgotten.ts';
import type { Scenario } from './scenario.ts';

/** Release that both stand-ins behave like; OEA_LAB_KUBEEDGE asks for another. */
const release = process.env['OEA_LAB_KUBEEDGE'] ?? '1.22.1';
/** Address of the host's loopback as a board sees it. */
const hostAddress = '10.0.2.2';
/** Translated arm64 code on a busy host takes half a minute to start one Node. */
const patienceMs = 420_000;

/** Cloud and edgecore are stand-ins; everything between them is the product. */
export const join: Scenario = {
  summary: 'stand-ins of KubeEdge: joins from a file on /data at first boot, reboots, leaves, rejoins',
  run: async ({ boot, progress, logs }) => {
    const tools = await mkdtemp(path.join(tmpdir(), 'oea-lab-'));
    const cloud = await CloudHub.start({ version: release, names: [hostAddress] });
    try {
      const token = cloud.token();
      const start = {
        dataDisk: path.join(logs, 'userdata.img'),
        dataFiles: [
          directory('/oh-edge-agent', 0o700),
          text('/oh-edge-agent/join.yaml', order(cloud, token), 0o600),
        ],
      };
      const board = await boot({ image: { extra: await edgecore(tools) }, start });
      await progress.step('the board joins by itself', () => isReadyNode(board, cloud, 'board-1'));
      await progress.step('the token is in no file and no command line', () => hasForgotten(board, token));
      await progress.step('reboot', () => board.reboot());
      await progress.step('it is that node again, with the same certificate', async () => {
        await isReadyNode(board, cloud, 'board-1');
        expectEqual('certificates that the cloud gave out', cloud.issued, ['board-1']);
      });
      await progress.step('leave', () => leave(board, cloud, 'board-1'));
      const second = cloud.token();
      await progress.step('join under another name', () => joinAs(board, cloud, second, 'board-2'));
      await progress.step('the board is the other node', () => isReadyNode(board, cloud, 'board-2'));
      await progress.step('both tokens are gone', async () => {
        await hasForgotten(board, token);
        await hasForgotten(board, second);
      });
      await progress.step('power off', () => board.powerOff());
    } finally {
      await cloud.stop();
      await rm(tools, { recursive: true, force: true });
    }
  },
};

/** The edgecore stand-in where the product has the real one; it runs on the board's own Node. */
async function edgecore(tools: string): Promise<readonly TreeEntry[]> {
  const runtime = `${productDir}/runtime`;
  const node = `${runtime}/lib/ld-linux-aarch64.so.1 --library-path ${runtime}/lib ${runtime}/bin/node`;
  await bundleEdgecore(tools, { node, version: release });
  const from = (name: string, mode: number): TreeEntry =>
    file(`${productDir}/kubeedge/${name}`, path.join(tools, name), mode);
  return [
    from('edgecore', 0o755),
    from('edgecore.js', 0o644),
    from('package.json', 0o644),
    from('version', 0o644),
  ];
}

function order(cloud: CloudHub, token: string): string {
  const address = `${hostAddress}:${cloud.hubPort}`;
  return `cloudcore: ${address}\ncertPort: ${cloud.enrolPort}\nnodeName: board-1\ntoken: ${token}\n`;
}

async function isReadyNode(board: Board, cloud: CloudHub, name: string): Promise<void> {
  await eventually(`${name} is connected and Ready in the cloud`, patienceMs, async () => {
    const node = cloud.store.get('node', { namespace: '', name });
    const ready = conditionOf(node, 'Ready')?.['status'];
    const ours = conditionOf(node, 'EdgecoreReady')?.['status'];
    const isDone = cloud.nodes().includes(name) && ready === 'True' && ours === 'True';
    return isDone || `nodes ${cloud.nodes().join()}, Ready ${String(ready)}, EdgecoreReady ${String(ours)}`;
  });
  await waitUntilReady(board);
  const { stdout } = await board.exec('agentctl edge');
  expectEqual('the name that agentctl says', /^node\s+(\S+)/m.exec(stdout)?.[1], name);
}

async function leave(board: Board, cloud: CloudHub, name: string): Promise<void> {
  await board.run('agentctl leave', { timeoutMs: 120_000 });
  await eventually(`${name} has no session any more`, 60_000, async () => {
    return cloud.nodes().length === 0 || cloud.nodes().join();
  });
  const node = cloud.store.get('node', { namespace: '', name });
  expectEqual('our condition on the Node that was left', conditionOf(node, 'EdgecoreReady'), undefined);
  const left = await board.exec(inside('ls /etc/kubeedge/certs /etc/kubeedge/ca /etc/kubeedge/config'));
  expectEqual('what is left of it', left.stdout.replace(/^\S*:$/gm, '').trim(), '');
}

async function joinAs(board: Board, cloud: CloudHub, token: string, name: string): Promise<void> {
  const to = `--cloudcore ${hostAddress}:${cloud.hubPort} --cert-port ${cloud.enrolPort} --node-name ${name}`;
  await board.run(`agentctl join ${to} --token-file -`, { input: token, timeoutMs: patienceMs });
}
