import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AgentError, errorTable, isAgentError, messageOf } from '../../agent/core/agent-error.ts';
import { homeDir } from '../../agent/core/constants.ts';
import type { Board, BoardOptions } from './board.ts';
import { runCommand } from './command.ts';
import type { ImageOptions } from './image.ts';
import { parseWithout } from './modules.ts';
import { TextProgress } from './progress.ts';
import { scenarios } from './scenarios/index.ts';
import { canShareBoard, runOnOneBoard } from './scenarios/ready-board.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { TestBench } from './test-bench.ts';

const usage = `Usage: npm run lab -- [OPTION]…
Boots a virtual arm64 board shaped like OpenHarmony with the product in its image.

Without --check or --scenario the board stays up with a shell; leave it with "exit".
  --check               wait for the agent, run doctor, status and selftest on the board, power off
  --scenario A,B        run these scenarios instead (${Object.keys(scenarios).join(', ')});
                        check, repair, uplink and idle share one board
  --times N             how often the power is cut
  --seed NUMBER         what chance follows from
  --part                the product as the part that OpenHarmony's build takes, not laid into the image
  --stock-root          a root without the product's mount points
  --cgroup v1|v2        where cgroups are (default v1, as OpenHarmony mounts them)
  --without A,B         leave kernel features out (overlay, veth, bridge, br_netfilter, addrtype, nat, …, cgroup:NAME)
  --data ext4|f2fs      file system of /data (default ext4)
  --keep-data FILE      use this disk for /data and keep it
  --forward HOST:BOARD  make a TCP port of the board reachable on 127.0.0.1 (repeatable)
  --apt-sources FILE    where arm64 packages come from, if not from the host's own sources
  --refresh             look for newer packages
  --dist DIR            use these bundles instead of building them
  --json                end with one line of JSON
`;

const options = {
  check: { type: 'boolean' },
  scenario: { type: 'string' },
  times: { type: 'string' },
  seed: { type: 'string' },
  'stock-root': { type: 'boolean' },
  part: { type: 'boolean' },
  cgroup: { type: 'string', default: 'v1' },
  without: { type: 'string', default: '' },
  data: { type: 'string', default: 'ext4' },
  'keep-data': { type: 'string' },
  forward: { type: 'string', multiple: true, default: [] as string[] },
  'apt-sources': { type: 'string' },
  refresh: { type: 'boolean' },
  dist: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Options = ReturnType<typeof readOptions>;

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({ args: [...args], options, strict: true });
  if (values.cgroup !== 'v1' && values.cgroup !== 'v2') throw usageError('--cgroup takes v1 or v2');
  if (values.data !== 'ext4' && values.data !== 'f2fs') throw usageError('--data takes ext4 or f2fs');
  const forwards = values.forward.map((pair) => {
    const [, host, board] = /^(\d+):(\d+)$/.exec(pair) ?? [];
    if (host === undefined || board === undefined)
      throw usageError('--forward takes HOST:BOARD, two port numbers');
    return { host: Number(host), board: Number(board) };
  });
  const names = (values.scenario ?? (values.check === true ? 'check' : '')).split(',').filter(Boolean);
  const chosen = names.map((name) => {
    const scenario = scenarios[name];
    if (scenario === undefined) throw usageError(`no scenario "${name}"`);
    return scenario;
  });
  const times = countOf(values.times, '--times');
  const seed = countOf(values.seed, '--seed');
  const cgroup: 'v1' | 'v2' = values.cgroup;
  const data: 'ext4' | 'f2fs' = values.data;
  const without = values.without.split(',').filter(Boolean);
  return { ...values, cgroup, data, forwards, chosen, times, seed, without };
}

function countOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw usageError(`${name} takes a whole number`);
  return Number(text);
}

function usageError(problem: string): AgentError {
  return new AgentError('USAGE', `Cannot start the lab: ${problem}; see npm run lab -- --help`);
}

/** Builds, boots, and runs what was asked for. */
async function lab(settings: Options, progress: TextProgress): Promise<void> {
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
  if (settings.chosen.length === 0) await stayUp(await bench.boot(), logs, progress);
  else await runScenarios(settings.chosen, bench);
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
    root: settings['stock-root'] === true ? 'stock' : 'image',
    form: settings.part === true ? 'part' : 'staged',
    withoutModules: parseWithout(settings.without).modules,
    dataFileSystem: settings.data,
    aptSources: settings['apt-sources'],
    refresh: settings.refresh === true,
  };
}

function startOptions(settings: Options): Omit<BoardOptions, 'image' | 'logs'> {
  const dataDisk = settings['keep-data'];
  return {
    cgroup: settings.cgroup,
    withoutControllers: parseWithout(settings.without).controllers,
    forwards: settings.forwards,
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

async function main(args: readonly string[]): Promise<number> {
  const progress = new TextProgress();
  let isJson = args.includes('--json');
  let code = 0;
  try {
    const settings = readOptions(args);
    isJson = settings.json === true;
    if (settings.help === true) process.stdout.write(usage);
    else await lab(settings, progress);
  } catch (error) {
    code = isAgentError(error) ? errorTable[error.code].exit : 2;
    progress.say(messageOf(error));
  }
  if (isJson) {
    process.stdout.write(`${JSON.stringify({ ok: code === 0, arch: 'aarch64', steps: progress.records })}\n`);
  }
  return code;
}

// A machine must not outlive the lab; the exit handlers of the boards see to that.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.once(signal, () => process.exit(code));
}

process.exitCode = await main(process.argv.slice(2));
