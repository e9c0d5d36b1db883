import type { Command } from 'commander';
import { parseDuration } from '../../agent/cli/duration.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import { composeProduct } from '../image/product.ts';
import { usualStore } from '../parts/parts-program.ts';
import { type Finish, newProgram } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { deploy } from './deploy.ts';
import { RemoteBoard, type RemotePlace } from './remote-board.ts';
import { remoteTools } from './remote-tools.ts';
import { uninstall } from './uninstall.ts';

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
  /** True for `adb` in PATH, or the program. */
  readonly adb?: true | string;
  readonly anyway?: true;
  readonly target?: string;
  readonly parts: string;
  readonly dist: string;
  readonly timeout: string;
  readonly uninstall?: true;
  readonly wipeData?: true;
  readonly json?: true;
}

function placeOf({ hdc, adb, target }: DeployOptions): RemotePlace {
  if (adb === undefined) return { tool: remoteTools.hdc, command: [hdc], target };
  return { tool: remoteTools.adb, command: [adb === true ? 'adb' : adb], target };
}

/** What the board would only find wrong after everything has been sent. */
function requireSense({ timeout, uninstall: isUninstall, wipeData }: DeployOptions): void {
  parseDuration('--timeout', timeout);
  if (wipeData === true && isUninstall !== true)
    throw new AgentError('USAGE', 'Cannot use --wipe-data alone: it goes with --uninstall');
}

async function run(options: DeployOptions, terminal: Terminal): Promise<number> {
  requireSense(options);
  const place = placeOf(options);
  const target = await new RemoteBoard(place).find();
  const board = new RemoteBoard({ ...place, target });
  const { parts: store, dist, timeout } = options;
  if (options.uninstall === true) {
    await uninstall(board, options.wipeData === true);
    terminal.out(options.json === true ? JSON.stringify({ target, state: 'removed' }) : `${target}: removed`);
    return 0;
  }
  const product = await composeProduct({
    repository: process.cwd(),
    dist,
    store,
    root: 'stock',
    epoch: null,
  });
  const say = (text: string): void => terminal.err(`deploy: ${text}`);
  const patience = { tries: 90, pauseMs: 2_000 };
  const isAnyway = options.anyway === true;
  const outcome = await deploy({ board, product, say, timeout, patience, isAnyway });
  if (options.json === true) terminal.out(JSON.stringify({ target, ...outcome }));
  else terminal.out(`${target}: ${outcome.state}: ${outcome.reason}`);
  return outcome.state === 'ready' ? 0 : 1;
}

/** `npm run deploy`: the product onto a running board over hdc or adb. */
export function deployProgram(terminal: Terminal, finish: Finish): Command {
  return newProgram(
    'deploy',
    'Brings the product onto a running board over hdc or adb, or takes it off.',
    terminal,
  )
    .option('--hdc <program>', 'the hdc program', 'hdc')
    .option('--adb [program]', 'reach the board over adb instead')
    .option('--target <key>', 'serial number or IP:PORT of the board (default: the only one)')
    .option('--parts <dir>', 'store of the parts', usualStore)
    .option('--dist <dir>', 'folder with the bundles', 'dist')
    .option('--timeout <time>', 'longest wait until the agent is ready', '5m')
    .option('--anyway', 'install although the kernel cannot run containers')
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
