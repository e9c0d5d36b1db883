import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../../agent/core/agent-error.ts';
import { homeDir, productDir } from '../../../agent/core/constants.ts';
import { type DeployOutcome, deploy as deployTo } from '../../deploy/deploy.ts';
import { RemoteBoard } from '../../deploy/remote-board.ts';
import { remoteTools } from '../../deploy/remote-tools.ts';
import { uninstall } from '../../deploy/uninstall.ts';
import { describeProduct, type Product } from '../../image/product.ts';
import { symbolicLink, type TreeEntry, text } from '../../image/tree.ts';
import type { Board } from '../board.ts';
import { openHdcDoor } from '../hdc-door.ts';
import type { Progress } from '../progress.ts';
import { waitUntilReady } from './agent.ts';
import type { Scenario } from './scenario.ts';

const patience = { tries: 120, pauseMs: 2_000 };

/** The way onto a board that has a stock image: over hdc, as `npm run deploy` goes it. */
export const deploy: Scenario = {
  summary: 'install over hdc on a board without the product, upgrade, roll a broken upgrade back, uninstall',
  run: async ({ boot, product, progress, logs }) => {
    const isWhole = process.env['OEA_LAB_DEPLOY'] === 'whole';
    const { light, inImage } = await lightened(await product());
    const first = isWhole ? await product() : light;
    const board = await boot({
      image: { root: 'stock', form: 'none', extra: inImage },
      start: { isSystemWritable: true },
    });
    if (!isWhole)
      await board.run(`mkdir -p ${homeDir} && echo "dockerd: { enabled: false }" >${homeDir}/agent.yaml`);
    const socket = path.join(logs, 'hdc.sock');
    await using _door = await openHdcDoor(board, socket);
    const command = ['node', path.resolve('test/standins/hdc/main.mjs'), socket];
    const remote = new RemoteBoard({ tool: remoteTools.hdc, command, target: undefined });
    const install = async (made: Product, timeout = '240s'): Promise<DeployOutcome> =>
      deployTo({ board: remote, product: made, say: (line) => progress.say(line), timeout, patience });

    const installed = await progress.step('install', () => install(first));
    expect('the first deployment', installed, 'ready');
    if (isWhole) await progress.step('Docker runs under the deployed agent', () => waitUntilReady(board));
    const second = await changed(first, '// another version\n');
    const upgraded = await progress.step('upgrade', () => install(second));
    expect('the upgrade', upgraded, 'ready');
    await isActive(board, upgraded.slot);
    const broken = await changed(first, 'process.exit(1);\n');
    const refused = await progress.step('a broken upgrade', () => install(broken, '30s'));
    expect('the broken upgrade', refused, 'rolled-back');
    await isActive(board, upgraded.slot);
    await progress.step('uninstall', () => uninstall(remote, true));
    await isClean(board, progress);
    await board.powerOff();
  },
};

function expect(what: string, { state, reason }: DeployOutcome, wanted: DeployOutcome['state']): void {
  if (state === wanted) return;
  throw new AgentError('TOOL_FAILED', `${what} ended as ${state}, want ${wanted}: ${reason}`);
}

/** Where the image has Node in this scenario. */
const runtime = '/system/lib/lab-runtime';

/**
 * A machine that translates unpacks 100 MB in minutes, so Docker is left out and Node is a link to one in the image:
 * what is tried here is the way, not the load.
 */
async function lightened(product: Product): Promise<{ light: Product; inImage: TreeEntry[] }> {
  const isRuntime = ({ path: at }: TreeEntry): boolean => at.startsWith(`${productDir}/runtime/`);
  const inImage = product.entries
    .filter((entry) => entry.kind === 'file' && isRuntime(entry))
    .map((entry) => ({ ...entry, path: entry.path.replace(`${productDir}/runtime`, runtime) }));
  const tree = product.entries
    .filter((entry) => !entry.path.startsWith(`${productDir}/docker/`))
    .map((entry) =>
      entry.kind === 'file' && isRuntime(entry)
        ? symbolicLink(entry.path, entry.path.replace(`${productDir}/runtime`, runtime))
        : entry,
    );
  return { light: await recomposed(product, tree), inImage };
}

async function recomposed(product: Product, tree: readonly TreeEntry[]): Promise<Product> {
  const kept = tree.filter((entry) => entry.path !== `${productDir}/manifest.json`);
  return describeProduct({ ...product, overlay: path.resolve('sysroot-overlay'), tree: kept });
}

/** The product with a line in front of its agent. */
async function changed(product: Product, line: string): Promise<Product> {
  const tree = await Promise.all(
    product.entries.map(async (entry) =>
      entry.kind === 'file' && entry.path === `${productDir}/agent.js`
        ? { ...text(entry.path, `${line}${await readFile(entry.source, 'utf8')}`), mode: entry.mode }
        : entry,
    ),
  );
  return recomposed(product, tree);
}

async function isActive(board: Board, slot: string): Promise<void> {
  const active = (await board.run(`readlink ${homeDir}/active`)).trim();
  if (active !== `${homeDir}/slots/${slot}${productDir}`)
    throw new AgentError('TOOL_FAILED', `The slot in use is ${active}, want ${slot}`);
}

/** Nothing of ours is left: no path, no process, no mount, and the root is read-only again. */
async function isClean(board: Board, progress: Progress): Promise<void> {
  const question = [
    `ls -d ${homeDir} ${productDir} /system/bin/agentctl /system/etc/init/oh_edge_agent.cfg 2>/dev/null`,
    `ps -A -o ARGS | grep -E 'agent[.]js|docker[d]|container[d]|sleep 214748364[7]'`,
    `grep oh-edge-agent /proc/self/mountinfo`,
    `touch /system/x 2>/dev/null && echo the root can be written to`,
  ].join('; ');
  const left = (await board.exec(question)).stdout.trim();
  progress.say(left === '' ? 'nothing is left on the board' : left);
  if (left !== '') throw new AgentError('TOOL_FAILED', `Something is left on the board: ${left}`);
}
