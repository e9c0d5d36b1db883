import { readFile } from 'node:fs/promises';
import type { Board } from '../board.ts';
import { onReadyBoard } from './ready-board.ts';

const scratch = '/data/local/tmp/numbers';
const product = '/system/opt/oh-edge-agent';
/** Seconds without a question before memory is read: V8's first full collection comes within two minutes and reads code of its own. */
const idleSeconds = 150;

/** What the program on the board prints; milliseconds and KiB. */
interface Numbers {
  readonly version: string;
  readonly arch: string;
  readonly times: { readonly nothing: readonly number[]; readonly agent: readonly number[] };
  readonly resident: { readonly bare: number; readonly agent: number };
}

/** A second agent on a ready board beside the same bare Node: ratios, because an emulated processor has no times. */
export const numbers = onReadyBoard(
  'start and resident memory of the agent beside the same bare Node, on the board (--times rounds)',
  async (board, { progress, times = 7 }) => {
    await progress.step(`${times} starts, then ${idleSeconds} s idle`, async (note) => {
      const { version, arch, times: took, resident } = await measure(board, times);
      const [nothing, agent] = [median(took.nothing), median(took.agent)];
      note(`node ${version} on ${arch}, ${times} rounds, medians`);
      note(
        `exec to API answering ${agent.toFixed(0)} ms, node -e 0 ${nothing.toFixed(0)} ms: ${(agent / nothing).toFixed(2)}`,
      );
      note(`spread ${spread(took.agent)} and ${spread(took.nothing)} ms`);
      const ratio = (resident.agent / resident.bare).toFixed(2);
      note(`resident after ${idleSeconds} s ${resident.agent} KiB, bare node ${resident.bare} KiB: ${ratio}`);
    });
  },
);

async function measure(board: Board, rounds: number): Promise<Numbers> {
  const program = `${scratch}/on-board.mjs`;
  await board.run(`mkdir -p ${scratch}`);
  await board.push(await readFile('scripts/bench/programs/on-board.mjs'), program);
  const loader = `${product}/runtime/lib/ld-linux-aarch64.so.1`;
  const node = `${product}/runtime/bin/node`;
  const runner = `if [ -e ${loader} ]; then set -- ${loader} --library-path ${product}/runtime/lib ${node}; else set -- ${node}; fi`;
  const line = `${runner}; "$@" ${program} ${product} ${scratch} ${rounds} ${idleSeconds}`;
  const text = await board.run(line, { timeoutMs: 600_000 });
  await board.run(`rm -rf ${scratch}`);
  return JSON.parse(text) as Numbers;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
}
