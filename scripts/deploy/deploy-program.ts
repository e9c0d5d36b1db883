import type { Command } from 'commander';
import { AgentError } from '../../agent/core/agent-error.ts';
import { composeProduct } from '../image/product.ts';
import { usualStore } from '../parts/parts-program.ts';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { deploy, uninstall } from './deploy.ts';
import { HdcBoard } from './hdc.ts';

const examples = `
For boards whose image does not have the product: it lies in a slot on /data, the root only gets a link, the start
script and the cfg. The first deployment restarts the board, because init reads a cfg only then.

Examples:
  npm run deploy
  npm run deploy -- --target 192.168.1.20:10178
  npm run deploy -- --uninstall

Exit code: 0 ready or removed, 1 refused, rolled back or not ready, 2 wrong usage.`;

interface DeployOptions {
  readonly hdc: string;
  readonly target?: string;
  readonly parts: string;
  readonly dist: string;
  readonly timeout: string;
  readonly uninstall?: true;
  readonly wipeData?: true;
  readonly json?: true;
}

async function run(options: DeployOptions, terminal: Terminal): Promise<number> {
  const finder = new HdcBoard({ command: [options.hdc], target: options.target });
  const target = await finder.find();
  const board = new HdcBoard({ command: [options.hdc], target });
  const say = (text: string): void => terminal.err(`deploy: ${text}`);
  if (options.uninstall === true) {
    await uninstall(board, options.wipeData === true);
    terminal.out(options.json === true ? JSON.stringify({ target, state: 'removed' }) : `${target}: removed`);
    return 0;
  }
  const { parts: store, dist, timeout } = options;
  const product = await composeProduct({
    repository: process.cwd(),
    dist,
    store,
    root: 'stock',
    epoch: null,
  });
  const outcome = await deploy({ board, product, say, timeout, patience: { tries: 90, pauseMs: 2_000 } });
  if (options.json === true) terminal.out(JSON.stringify({ target, ...outcome }));
  else terminal.out(`${target}: ${outcome.state}: ${outcome.reason}`);
  return outcome.state === 'ready' ? 0 : 1;
}

/** `npm run deploy`: the product onto a running board over hdc. */
export function deployProgram(terminal: Terminal, finish: Finish): Command {
  return newProgram('deploy', 'Brings the product onto a running board over hdc, or takes it off.', terminal)
    .option('--hdc <program>', 'the hdc program', 'hdc')
    .option('--target <key>', 'board as "hdc list targets" prints it (default: the only one)')
    .option('--parts <dir>', 'store of the parts', usualStore)
    .option('--dist <dir>', 'folder with the bundles', 'dist')
    .option('--timeout <time>', 'longest wait until the agent is ready', '5m')
    .option('--uninstall', 'take the product off the board')
    .option('--wipe-data', 'with --uninstall: remove state, logs and containers, too')
    .option('--json', 'print the outcome for programs')
    .addHelpText('after', examples)
    .action(async (options: DeployOptions) => {
      const answer = await run(options, terminal).catch((error: unknown) => {
        if (!(error instanceof AgentError) || error.code === 'USAGE' || error.code === 'BUG') throw error;
        terminal.err(`${terminal.style.red('error:')} ${error.message}`);
        return 1;
      });
      finish(answer);
    });
}
