import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError, isAgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type Product, productFor } from '../image/product.ts';
import { writeTar } from '../image/write-tar.ts';
import { fillSlot, readContents } from './fill-slot.ts';
import { type BoardLook, lookAtBoard } from './look.ts';
import { places, productIn } from './places.ts';
import { pushTool, removeTool } from './push-tool.ts';
import { type Patience, quote, type RemoteBoard } from './remote-board.ts';
import { stopAgent } from './run-state.ts';
import { planSlot, type SlotPlan } from './slot-plan.ts';
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
  const tool = await pushTool(board, busyboxOf(product));
  try {
    await judgeKernel({ ...order, tool });
    const work = { ...order, product, tool };
    const slot = await installSlot(work, look);
    const needsReboot = await prepareRoot(work, slot, look.active);
    return await switchTo(work, { slot, previous: look.active, needsReboot });
  } finally {
    await removeTool(board);
  }
}

/** Files of the slot before that are no longer what they were must not keep the board from a sound product. */
async function installSlot(work: Work, look: BoardLook): Promise<string> {
  const before = look.active === null ? undefined : await readContents(work.board, look.active);
  const plan = await planSlot(work.product, before);
  try {
    await sendSlot(work, plan, look);
  } catch (error) {
    if (plan.shared.length === 0 || !isAgentError(error, 'STEP_FAILED')) throw error;
    work.say(`${error.message}; sending everything`);
    await sendSlot(work, await planSlot(work.product, undefined), look);
  }
  return plan.slot;
}

async function sendSlot(work: Work, plan: SlotPlan, look: BoardLook): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  try {
    const archive = path.join(scratch, 'product.tar.gz');
    await writeTar(plan.sent, archive, 0);
    refuse(lackOfRoom(look, await roomFor(archive, plan)));
    await fillSlot({ ...work, plan, archive, before: look.active });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
async function roomFor(archive: string, { sentBytes }: SlotPlan): Promise<number> {
  return 2 * (await stat(archive)).size + sentBytes;
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

/**
 * Points `active` to a slot and starts it; returns why it is not ready, or nothing. A power cut leaves one of the two links:
 * the board's ln makes the new one beside the old and renames it (landley/toybox toys/posix/ln.c).
 */
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
    `cd ${places.slots} && rm -rf .pieces-* .new-* && for slot in *; do case "$slot" in ${pattern}) ;; *) rm -rf "$slot" ;; esac; done`,
  );
}
