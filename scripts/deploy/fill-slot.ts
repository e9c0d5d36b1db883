import { AgentError } from '../../agent/core/agent-error.ts';
import type { Product } from '../image/product.ts';
import { places, productIn } from './places.ts';
import { push } from './push.ts';
import { quote, type RemoteBoard } from './remote-board.ts';
import { filesOf, type SharedFile, type SlotPlan } from './slot-plan.ts';

/** What fills a slot. */
export interface FillOrder {
  readonly board: RemoteBoard;
  /** The pushed busybox on the board. */
  readonly tool: string;
  readonly product: Product;
  readonly plan: SlotPlan;
  /** Archive of what is sent. */
  readonly archive: string;
  /** Slot in use, from which the rest is linked. */
  readonly before: string | null;
  readonly say: (text: string) => void;
  readonly pieceBytes?: number;
}

/** Paths in one command of the board's shell: hdc takes some kilobytes at once. */
const linesAtOnce = 8;

/** Content manifest of a slot, or undefined where it has none. */
export async function readContents(board: RemoteBoard, slot: string): Promise<string | undefined> {
  const { code, out } = await board.shell(`cat ${productIn(slot)}/manifest.json`);
  return code === 0 ? out : undefined;
}

/** Fills beside the slots and verifies every file there; only a verified folder gets a slot's name. */
export async function fillSlot(order: FillOrder): Promise<void> {
  const { board, plan, say } = order;
  const home = `${places.slots}/${plan.slot}`;
  if ((await board.shell(`[ -e ${home} ]`)).code === 0) {
    await verifySlot(order, home);
    say(`slot ${plan.slot} is on the board already`);
    return;
  }
  const pieces = `${places.slots}/.pieces-${plan.slot}`;
  const draft = `${places.slots}/.new-${plan.slot}`;
  const { tool } = order;
  if (plan.shared.length > 0) say(`${plan.shared.length} files are on the board already`);
  const sent = await push(board, {
    file: order.archive,
    folder: pieces,
    say,
    tool,
    ...(order.pieceBytes === undefined ? {} : { pieceBytes: order.pieceBytes }),
  });
  await board.must(
    'unpack the product',
    `rm -rf ${draft} && mkdir -p ${draft} && cat ${sent.map(quote).join(' ')} | ${tool} gzip -dc | ${tool} tar -x -f - -C ${draft}`,
  );
  if (order.before !== null) await linkShared(board, plan.shared, { from: order.before, draft });
  await verifySlot(order, draft);
  await board.must('name the slot', `mv ${draft} ${home} && rm -rf ${pieces}`);
  say(`slot ${plan.slot} is written and verified`);
}

/** Slots are only ever read, so a file may have a name in several of them. */
async function linkShared(
  board: RemoteBoard,
  shared: readonly SharedFile[],
  { from, draft }: { readonly from: string; readonly draft: string },
): Promise<void> {
  const source = `${places.slots}/${from}`;
  for (let index = 0; index < shared.length; index += linesAtOnce) {
    const lines = shared
      .slice(index, index + linesAtOnce)
      .map((file) => `ln ${quote(source + file.from)} ${quote(draft + file.path)}`);
    await board.must('link what is there already', lines.join(' && '));
  }
}

/** Compares the sum of every file with the content manifest, on the board. */
async function verifySlot({ board, product, tool }: FillOrder, home: string): Promise<void> {
  const text = await board.must(
    'read the sums on the board',
    `cd ${home} && find . -type f -exec ${tool} sha256sum {} \\;`,
  );
  const found = new Map(
    [...text.matchAll(/^([0-9a-f]{64}) [ *]\.(\/.+)$/gm)].map(([, sum = '', at = '']) => [at, sum]),
  );
  const wrong = filesOf(product.contents)
    .filter(({ path, sha256 }) => found.get(path) !== sha256)
    .map(({ path }) => path);
  if (wrong.length === 0) return;
  throw new AgentError(
    'STEP_FAILED',
    `Cannot use the slot: ${wrong.join(', ')} differ on the board; remove ${home} there and run it again`,
  );
}
