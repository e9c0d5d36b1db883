import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type Product, productFor } from '../image/product.ts';
import { writeTar } from '../image/write-tar.ts';
import { type BoardLook, lookAtBoard } from './look.ts';
import { places, productIn } from './places.ts';
import { push } from './push.ts';
import { pushTool, removeTool } from './push-tool.ts';
import { type Patience, quote, type RemoteBoard } from './remote-board.ts';
import { stopAgent } from './run-state.ts';
import { tryKernel } from './try-kernel.ts';

/** How a deployment is done. */
export interface DeployOrder {
  readonly board: RemoteBoard;
  readonly product: Product;
  readonly say: (text: string) => void;
  /** Longest wait until the agent is ready, as agentctl takes it: `5m`. */
  readonly timeout: string;
  readonly patience: Patience;
  readonly pieceBytes?: number;
  /** Whether a kernel that cannot run containers is no reason to stop. */
  readonly isAnyway?: boolean;
}

/** What came of a deployment. */
export interface DeployOutcome {
  readonly slot: string;
  /** Slot that was in use before. */
  readonly previous: string | null;
  readonly state: 'ready' | 'rolled-back' | 'not-ready';
  readonly reason: string;
}

/** An order with what was found out about its board. */
interface Work extends DeployOrder {
  /** The pushed busybox on the board. */
  readonly tool: string;
}

/**
 * Brings the product onto the board into a slot of its own, switches to it, and back where it does not become ready.
 * Before anything is installed the board is looked at, and its kernel tried by one pushed program.
 */
export async function deploy(order: DeployOrder): Promise<DeployOutcome> {
  const { board, say } = order;
  const look = await lookAtBoard(board);
  say(`the board has ${look.fullName}, kernel ${look.kernel}`);
  refuse(look.problems);
  const product = await productFor(order.product, look.release);
  const scratch = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  try {
    const archive = path.join(scratch, 'product.tar.gz');
    await writeTar(product.entries, archive, 0);
    refuse(lackOfRoom(look, await roomFor(archive, product)));
    const work = { ...order, product, tool: await pushTool(board, busyboxOf(product)) };
    await judgeKernel(work);
    return await install(work, archive, look);
  } finally {
    await removeTool(board);
    await rm(scratch, { recursive: true, force: true });
  }
}

async function install(work: Work, archive: string, look: BoardLook): Promise<DeployOutcome> {
  const bytes = await readFile(archive);
  const slot = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  await fillSlot(work, archive, slot);
  const needsReboot = await prepareRoot(work, slot, look.active);
  return switchTo(work, { slot, previous: look.active, needsReboot });
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new AgentError('INPUT_INVALID', `Cannot deploy to this board: ${problems.join('; ')}`);
}

function lackOfRoom({ roomBytes }: BoardLook, wantedBytes: number): string[] {
  if (roomBytes >= wantedBytes) return [];
  const [free, wanted] = [Math.floor(roomBytes / 1e6), Math.ceil(wantedBytes / 1e6)];
  return [`/data has ${free} MB free, want ${wanted} MB`];
}

/** The static busybox of the product, on the build host. */
function busyboxOf(product: Product): string {
  const entry = product.entries.find(({ path: at }) => at === `${places.product}/bin/busybox`);
  if (entry?.kind === 'file') return entry.source;
  throw new AgentError('BUG', 'Cannot deploy: the product has no busybox');
}

async function judgeKernel({ board, tool, say, isAnyway }: Work): Promise<void> {
  const { problems, notes } = await tryKernel(board, tool, path.posix.dirname(tool));
  for (const note of notes) say(`note: ${note}`);
  if (problems.length === 0) return;
  for (const problem of problems) say(`the kernel: ${problem}`);
  if (isAnyway === true) return;
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot run containers on this board: its kernel fails ${problems.length} probes; build it as npm run kconfig says, or install --anyway`,
  );
}

/** The pieces, the archive they become, and its content lie on the board at the same time. */
async function roomFor(archive: string, product: Product): Promise<number> {
  let content = 0;
  for (const entry of product.entries) if (entry.kind === 'file') content += (await stat(entry.source)).size;
  return 2 * (await stat(archive)).size + content;
}

/** Unpacks beside the slots and verifies every file there; only a verified folder gets a slot's name. */
async function fillSlot(
  { board, product, say, pieceBytes, tool }: Work,
  archive: string,
  slot: string,
): Promise<void> {
  const home = `${places.slots}/${slot}`;
  if ((await board.shell(`[ -e ${home} ]`)).code === 0) {
    await verifySlot(board, product, { home, tool });
    say(`slot ${slot} is on the board already`);
    return;
  }
  const pieces = `${places.slots}/.pieces-${slot}`;
  const draft = `${places.slots}/.new-${slot}`;
  const sent = await push(board, {
    file: archive,
    folder: pieces,
    say,
    tool,
    ...(pieceBytes === undefined ? {} : { pieceBytes }),
  });
  await board.must(
    'unpack the product',
    `rm -rf ${draft} && mkdir -p ${draft} && cat ${sent.map(quote).join(' ')} | ${tool} gzip -dc | ${tool} tar -x -f - -C ${draft}`,
  );
  await verifySlot(board, product, { home: draft, tool });
  await board.must('name the slot', `mv ${draft} ${home} && rm -rf ${pieces}`);
  say(`slot ${slot} is written and verified`);
}

/** Compares the sum of every file with the content manifest, on the board. */
async function verifySlot(
  board: RemoteBoard,
  product: Product,
  { home, tool }: { readonly home: string; readonly tool: string },
): Promise<void> {
  const { entries } = JSON.parse(product.contents) as {
    entries: readonly { path: string; sha256?: string }[];
  };
  const wanted = entries.flatMap(({ path: at, sha256 }) => (sha256 === undefined ? [] : [{ at, sha256 }]));
  const text = await board.must(
    'read the sums on the board',
    `cd ${home} && find . -type f -exec ${tool} sha256sum {} \\;`,
  );
  const found = new Map(
    [...text.matchAll(/^([0-9a-f]{64}) [ *]\.(\/.+)$/gm)].map(([, sum = '', at = '']) => [at, sum]),
  );
  const wrong = wanted.filter(({ at, sha256 }) => found.get(at) !== sha256).map(({ at }) => at);
  if (wrong.length === 0) return;
  throw new AgentError(
    'STEP_FAILED',
    `Cannot use the slot: ${wrong.join(', ')} differ on the board; remove ${home} there and run it again`,
  );
}

/** Puts link, start script and cfg into the system's root; reports whether init has to read a new cfg. */
async function prepareRoot({ board, tool }: Work, slot: string, previous: string | null): Promise<boolean> {
  const from = `${places.slots}/${slot}`;
  const isSame = await board.shell(
    `${tool} cmp -s ${from}${places.cfg} ${places.cfg} && ${tool} cmp -s ${from}${places.agentctl} ${places.agentctl} && [ -L ${places.product} ]`,
  );
  if (isSame.code === 0 && previous !== null) return false;
  const steps = [
    'mount -o rw,remount /',
    `mkdir -p /system/opt`,
    `ln -sfn ${places.active} ${places.product}`,
    `cp ${from}${places.cfg} ${places.cfg} && chmod 0500 ${places.cfg}`,
    `cp ${from}${places.agentctl} ${places.agentctl} && chmod 0755 ${places.agentctl}`,
  ];
  try {
    await board.must('write to the root of the board', steps.join(' && '));
  } finally {
    await board.shell('sync; mount -o ro,remount /');
  }
  return true;
}

interface Switch {
  readonly slot: string;
  readonly previous: string | null;
  readonly needsReboot: boolean;
}

async function switchTo(order: Work, { slot, previous, needsReboot }: Switch): Promise<DeployOutcome> {
  const reason = await start(order, slot, needsReboot);
  if (reason === '') {
    await forgetOthers(order.board, [slot, ...(previous === null ? [] : [previous])]);
    return { slot, previous, state: 'ready', reason: 'the agent is ready' };
  }
  order.say(`slot ${slot} does not become ready: ${reason}`);
  if (previous === null || previous === slot) return { slot, previous, state: 'not-ready', reason };
  const isChanged = await prepareRoot(order, previous, slot);
  const worse = await start(order, previous, isChanged);
  const state = worse === '' ? 'rolled-back' : 'not-ready';
  return {
    slot,
    previous,
    state,
    reason: worse === '' ? reason : `${reason}; the slot before does not either: ${worse}`,
  };
}

/** Points `active` to a slot and starts it; returns why it is not ready, or nothing. */
async function start(
  { board, timeout, patience, say, tool }: Work,
  slot: string,
  needsReboot: boolean,
): Promise<string> {
  try {
    if (!needsReboot) await stopAgent(board, tool);
    await board.must('switch the slot', `ln -sfn ${productIn(slot)} ${places.active} && sync`);
    if (needsReboot) {
      say('init reads a new cfg only when the board starts: restarting it');
      await board.reboot(patience);
    } else {
      await board.must('start the agent', `begetctl start_service ${places.service}`);
    }
    await board.must('see the agent ready', `sh ${places.agentctl} wait --timeout ${quote(timeout)} 2>&1`);
    return '';
  } catch (error) {
    if (error instanceof AgentError) return messageOf(error);
    throw error;
  }
}

/** The slot in use and the one before stay; older ones go. */
async function forgetOthers(board: RemoteBoard, kept: readonly string[]): Promise<void> {
  const pattern = kept.join('|');
  await board.must(
    'remove older slots',
    `cd ${places.slots} && for slot in *; do case "$slot" in ${pattern}) ;; *) rm -rf "$slot" ;; esac; done`,
  );
}
