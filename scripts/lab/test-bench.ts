import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Product } from '../image/product.ts';
import { Board, type BoardOptions } from './board.ts';
import { buildImage, type ImageOptions } from './image.ts';
import { type NameServer, startNameServer } from './name-server.ts';
import type { Progress } from './progress.ts';
import type { BootWishes, ScenarioContext } from './scenarios/scenario.ts';

/** What to look at when a scenario failed, in the order in which a person would. */
const evidence = [
  'agentctl status',
  'agentctl events',
  'cat /data/oh-edge-agent/log/launch.log',
  'tail -n 300 /data/oh-edge-agent/log/agent.log',
  'tail -n 300 /data/oh-edge-agent/log/dockerd.log',
  'cat /proc/self/mountinfo',
  '/vendor/lab/bin/ip rule; /vendor/lab/bin/ip route show table all; /vendor/lab/bin/ip -br addr',
  'ps -A -o PID,PPID,USER,ARGS',
  'dmesg',
];

/** Boots boards for a scenario, and keeps the evidence and kills the machines when it is over. */
export class TestBench implements ScenarioContext, AsyncDisposable {
  readonly progress: Progress;
  readonly logs: string;
  readonly times: number | undefined;
  readonly seed: number | undefined;
  readonly features: readonly string[];
  readonly #image: ImageOptions;
  readonly #start: Omit<BoardOptions, 'image' | 'logs'>;
  readonly #boards: Board[] = [];
  #names: NameServer | undefined;

  constructor(
    image: ImageOptions,
    start: Omit<BoardOptions, 'image' | 'logs'>,
    { progress, logs, times, seed, features = [] }: Omit<ScenarioContext, 'boot' | 'product'>,
  ) {
    this.#image = image;
    this.#start = start;
    this.progress = progress;
    this.logs = logs;
    this.times = times;
    this.seed = seed;
    this.features = features;
  }

  /** An arrow, so that scenarios can take it out of the context. */
  boot = async ({ image, start }: BootWishes = {}): Promise<Board> => {
    const built = await buildImage({ ...this.#image, ...image }, this.progress);
    const number = this.#boards.length;
    const logs = number === 0 ? this.logs : path.join(this.logs, `board-${number + 1}`);
    this.#names ??= await startNameServer();
    const { port: namePort } = this.#names;
    const board = await this.progress.step('boot the board', () =>
      Board.boot({ namePort, ...this.#start, ...start, image: built, logs }),
    );
    this.#boards.push(board);
    return board;
  };

  product = async (): Promise<Product> => {
    const image = await buildImage({ ...this.#image, root: 'stock', form: 'none' }, this.progress);
    return image.product;
  };

  /** A board that still runs at the end is one that a failed scenario left. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const [index, board] of this.#boards.entries()) {
      if (board.isRunning) await this.#keepEvidence(board, index);
      await board[Symbol.asyncDispose]();
    }
    this.#names?.close();
  }

  async #keepEvidence(board: Board, index: number): Promise<void> {
    const file = path.join(this.logs, `evidence-${index + 1}.txt`);
    let text = '';
    for (const line of evidence) {
      const { stdout, stderr } = await board
        .exec(line, { timeoutMs: 20_000 })
        .catch((error: unknown) => ({ stdout: '', stderr: String(error) }));
      text += `$ ${line}\n${stdout}${stderr}\n`;
    }
    await writeFile(file, text);
    this.progress.say(
      `what the board looked like at the end is in ${file}; its console is in ${board.consoleLog}`,
    );
  }
}
