import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Option } from 'commander';
import { AgentError, errorTable, isAgentError, messageOf } from '../../agent/core/agent-error.ts';
import { homeDir } from '../../agent/core/constants.ts';
import { newProgram, numberOf, runHere } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { Board, BoardOptions } from './board.ts';
import { runCommand } from './command.ts';
import type { ImageOptions } from './image.ts';
import { parseWithout } from './modules.ts';
import { TextProgress } from './progress.ts';
import { scenarios } from './scenarios/index.ts';
import { canShareBoard, runOnOneBoard } from './scenarios/ready-board.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { TestBench } from './test-bench.ts';

const examples = `
Without --check or --scenario the board stays up with a shell; leave it with "exit".

Scenarios: ${Object.keys(scenarios).join(', ')};
check, repair, uplink and idle share one board.

Examples:
  npm run lab
  npm run lab -- --check --stock-root --cgroup v2
  npm run lab -- --scenario check,uplink
  npm run lab -- --scenario power-cut --times 25 --seed 7
  npm run lab -- --without overlay,veth

Exit code: 0 all was well, 2 wrong usage or something failed, which is said; others as agentctl has them.`;

interface Forward {
  readonly host: number;
  readonly board: number;
}

interface Options {
  readonly check?: true;
  readonly scenario?: readonly Scenario[];
  readonly times?: number;
  readonly seed?: number;
  readonly part?: true;
  readonly stockRoot?: true;
  readonly cgroup: 'v1' | 'v2';
  readonly without: readonly string[];
  readonly data: 'ext4' | 'f2fs';
  readonly keepData?: string;
  readonly forward: readonly Forward[];
  readonly aptSources?: string;
  readonly refresh?: true;
  readonly dist?: string;
  readonly json?: true;
}

function scenariosOf(text: string): readonly Scenario[] {
  return listOf(text).map((name) => {
    const scenario = scenarios[name];
    if (scenario === undefined) throw usageError(`no scenario "${name}"`);
    return scenario;
  });
}

function forwardsOf(pair: string, before: readonly Forward[]): readonly Forward[] {
  const [, host, board] = /^(\d+):(\d+)$/.exec(pair) ?? [];
  if (host === undefined || board === undefined)
    throw usageError('--forward takes HOST:BOARD, two port numbers');
  return [...before, { host: Number(host), board: Number(board) }];
}

function listOf(text: string): readonly string[] {
  return text.split(',').filter(Boolean);
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function usageError(problem: string): AgentError {
  return new AgentError('USAGE', `Cannot start the lab: ${problem}; see npm run lab -- --help`);
}

/** Builds, boots, and runs what was asked for. */
async function lab(settings: Options, chosen: readonly Scenario[], progress: TextProgress): Promise<void> {
  const repository = process.cwd();
  if (settings.dist === undefined) {
    await progress.step('bundle the agent', () => runCommand('node', ['build.mjs'], { cwd: repository }));
  }
  const logs = path.join(repository, 'build/lab', new Date().toISOString().replace(/[:.]/g, '-'));
  await mkdir(logs, { recursive: true });
  progress.say(`logs are in ${logs}`);
  const { times, seed, without: features } = settings;
  await using bench = new TestBench(imageOptions(settings, repository), startOptions(settings), {
    logs,
    progress,
    times,
    seed,
    features,
  });
  if (chosen.length === 0) await stayUp(await bench.boot(), logs, progress);
  else await runScenarios(chosen, bench);
}

/** Scenarios that can share one board do; the others come after, each with boards of its own. */
async function runScenarios(chosen: readonly Scenario[], bench: TestBench): Promise<void> {
  const sharing = chosen.filter(canShareBoard);
  if (sharing.length > 0) await runOnOneBoard(sharing, bench);
  for (const scenario of chosen) if (!canShareBoard(scenario)) await scenario.run(bench);
}

function imageOptions(settings: Options, repository: string): ImageOptions {
  return {
    repository,
    dist: path.resolve(settings.dist ?? 'dist'),
    root: settings.stockRoot === true ? 'stock' : 'image',
    form: settings.part === true ? 'part' : 'staged',
    withoutModules: parseWithout(settings.without).modules,
    dataFileSystem: settings.data,
    aptSources: settings.aptSources,
    refresh: settings.refresh === true,
  };
}

function startOptions(settings: Options): Omit<BoardOptions, 'image' | 'logs'> {
  const dataDisk = settings.keepData;
  return {
    cgroup: settings.cgroup,
    withoutControllers: parseWithout(settings.without).controllers,
    forwards: settings.forward,
    ...(dataDisk === undefined ? {} : { dataDisk: path.resolve(dataDisk) }),
  };
}

async function stayUp(board: Board, logs: string, progress: TextProgress): Promise<void> {
  const socket = path.join(logs, 'agent.sock');
  await board.expose(`unix:${homeDir}/run/agent.sock`, socket);
  progress.say(`the agent's API is at ${socket}; this is a shell on the board, leave it with "exit"`);
  await board.shell(process.stdin, process.stdout);
  await progress.step('power the board off', () => board.powerOff());
}

async function run(settings: Options, terminal: Terminal): Promise<number> {
  const progress = new TextProgress();
  const chosen = settings.scenario ?? (settings.check === true ? scenariosOf('check') : []);
  let code = 0;
  try {
    await lab(settings, chosen, progress);
  } catch (error) {
    code = isAgentError(error) ? errorTable[error.code].exit : 2;
    progress.say(messageOf(error));
  }
  if (settings.json === true)
    terminal.out(JSON.stringify({ ok: code === 0, arch: 'aarch64', steps: progress.records }));
  return code;
}

// A machine must not outlive the lab; the exit handlers of the boards see to that.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.once(signal, () => process.exit(code));
}

await runHere((terminal, finish) =>
  newProgram(
    'lab',
    'Boots a virtual arm64 board shaped like OpenHarmony with the product in its image.',
    terminal,
  )
    .option('--check', 'wait for the agent, run doctor, status and selftest on the board, power off')
    .option('--scenario <a,b>', 'run these scenarios instead', scenariosOf)
    .option('--times <n>', 'how often the power is cut', numberOf('--times', isCount, 'a whole number'))
    .option('--seed <n>', 'what chance follows from', numberOf('--seed', isCount, 'a whole number'))
    .option('--part', "the product as the part that OpenHarmony's build takes, not laid into the image")
    .option('--stock-root', "a root without the product's mount points")
    .addOption(new Option('--cgroup <version>', 'where cgroups are').choices(['v1', 'v2']).default('v1'))
    .option(
      '--without <a,b>',
      'leave kernel features out (overlay, veth, bridge, br_netfilter, addrtype, nat, …, cgroup:NAME)',
      listOf,
      [],
    )
    .addOption(new Option('--data <type>', 'file system of /data').choices(['ext4', 'f2fs']).default('ext4'))
    .option('--keep-data <file>', 'use this disk for /data and keep it')
    .option(
      '--forward <host:board>',
      'make a TCP port of the board reachable on 127.0.0.1, repeatable',
      forwardsOf,
      [],
    )
    .option('--apt-sources <file>', "where arm64 packages come from, if not from the host's own sources")
    .option('--refresh', 'look for newer packages')
    .option('--dist <dir>', 'use these bundles instead of building them')
    .option('--json', 'end with one line of JSON')
    .addHelpText('after', examples)
    .action(async (settings: Options) => finish(await run(settings, terminal))),
);
