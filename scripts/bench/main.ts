// Measures the agent beside bare programs and other supervisors in the same run; figures mean something only as ratios.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { newProgram, runHere } from '../terminal/program.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type Benchmark, wordsOf } from './benchmark.ts';
import { bundle } from './benchmarks/bundle.ts';
import { commands } from './benchmarks/commands.ts';
import { day } from './benchmarks/day.ts';
import { dockerd } from './benchmarks/dockerd.ts';
import { growth } from './benchmarks/growth.ts';
import { latency } from './benchmarks/latency.ts';
import { logs } from './benchmarks/logs.ts';
import { respawn } from './benchmarks/respawn.ts';
import { start } from './benchmarks/start.ts';
import { steady } from './benchmarks/steady.ts';
import { watch } from './benchmarks/watch.ts';
import { wire } from './benchmarks/wire.ts';
import { unpackedFolder, unpackPackage } from './debian.ts';
import { describeMachine, type Machine } from './machine.ts';
import { Progress } from './progress.ts';
import { missed } from './result.ts';
import { type Outcome, runBenchmarks } from './runner.ts';
import { isInside, runInside } from './sandbox.ts';
import { defaultNode } from './shipped-node.ts';
import { launchFlags, withKeptCode } from './subjects/agent.ts';
import { bareHttp, idleNode } from './subjects/bare-node.ts';
import { monit } from './subjects/monit.ts';
import { pm2 } from './subjects/pm2.ts';
import { runit } from './subjects/runit.ts';
import { s6 } from './subjects/s6.ts';
import type { Subject } from './subjects/subject.ts';
import { supervisord } from './subjects/supervisord.ts';
import { renderTable } from './table.ts';

const all: readonly Benchmark[] = [
  bundle,
  start,
  respawn,
  steady,
  latency,
  watch,
  commands,
  logs,
  wire,
  dockerd,
  growth,
  day,
];

/** Debian packages whose services would start if they were installed, and where they are unpacked instead. */
const unpacked = ['supervisor', 'monit'] as const;
const cache = '.cache/bench';

const examples = `
Examples:
  npm run bench -- --list                 what each group measures
  npm run bench -- start memory
  npm run bench -- logs --quick --json

Exit code: 0 measured, 1 with --strict: a goal was missed, 2 wrong usage, 70 a measurement failed.`;

interface Options {
  readonly quick?: true;
  readonly json?: true;
  readonly strict?: true;
  readonly list?: true;
  readonly node?: string;
  readonly agent: string;
}

const startedMs = Date.now();

await runHere((terminal, finish) =>
  newProgram('bench', 'Measures the agent beside bare programs and other supervisors, as ratios.', terminal)
    .argument('[group...]', 'what to measure (default: all that need not be named)')
    .option('--quick', 'fewer rounds')
    .option('--json', 'print the results for programs')
    .option('--strict', 'exit with 1 where a goal is missed')
    .option('--node <file>', 'the Node that everything runs on')
    .option('--agent <file>', 'the agent that is measured', 'dist/agent.js')
    .option('--list', 'tell what each group measures')
    .addHelpText('after', examples)
    .action(async (groups: string[], options: Options) => finish(await bench(groups, options, terminal))),
);

async function bench(groups: readonly string[], options: Options, terminal: Terminal): Promise<number> {
  const words = new Set(all.flatMap(wordsOf));
  const unknown = groups.filter((word) => !words.has(word));
  if (unknown.length > 0) {
    const known = [...words].join(' ');
    throw new AgentError('USAGE', `Cannot measure "${unknown.join(' ')}": choose from ${known}`);
  }
  if (options.list === true) {
    for (const benchmark of all) terminal.out(`${wordsOf(benchmark).join(', ')}: ${benchmark.about}`);
    return 0;
  }
  const agent = agentOf(options);
  const progress = new Progress(process.stderr, () => performance.now());
  const say = (text: string): void => progress.say(`bench ${elapsed()}: `, text);
  if (isInside()) return measure(agent, groups, { options, say, end: () => progress.end() });
  for (const name of unpacked) {
    if ((await unpackPackage(cache, name)) === undefined)
      say(`${name} is left out: cannot download its Debian package`);
  }
  return runInside();
}

function agentOf(options: Options) {
  const agent = {
    node: path.resolve(options.node ?? defaultNode()),
    flags: launchFlags(),
    starter: path.resolve(path.dirname(options.agent), 'start.js'),
    bundle: path.resolve(options.agent),
    commandLine: path.resolve(path.dirname(options.agent), 'agentctl.js'),
  };
  for (const file of [agent.starter, agent.bundle, agent.commandLine]) {
    if (!existsSync(file))
      throw new AgentError('USAGE', `Cannot find ${file}: build it with: node build.mjs`);
  }
  return agent;
}

type MeasuredAgent = ReturnType<typeof agentOf>;

async function measure(
  agent: MeasuredAgent,
  groups: readonly string[],
  { options, say, end }: { options: Options; say: (text: string) => void; end: () => void },
): Promise<number> {
  const nodeVersion = execFileSync(agent.node, ['--version'], { encoding: 'utf8' }).trim();
  const machine = await describeMachine(nodeVersion);
  const chosen = all.filter(
    (benchmark) =>
      (groups.length === 0 && benchmark.isOnDemand !== true) ||
      wordsOf(benchmark).some((word) => groups.includes(word)),
  );
  say('an agent runs once, as on every board that was on before, and keeps its compiled code');
  const outcome = await withKeptCode(agent, async (product) =>
    runBenchmarks(chosen, groups, {
      isQuick: options.quick === true,
      node: agent.node,
      agent: product,
      peers: availablePeers(agent.node),
      say,
    }),
  );
  end();
  print(outcome, machine, { agent, isJson: options.json === true });
  if (outcome.failures.length > 0) return 70;
  return options.strict === true && missed(outcome.results).length > 0 ? 1 : 0;
}

function availablePeers(node: string): readonly Subject[] {
  const [supervisor, monitRoot] = unpacked.map((name) => unpackedFolder(cache, name));
  return [
    idleNode(node),
    bareHttp(node),
    runit({ isCapturing: false }),
    s6({ isCapturing: false }),
    ...(supervisor === undefined ? [] : [supervisord(supervisor)]),
    ...(monitRoot === undefined ? [] : [monit(monitRoot)]),
    pm2(node),
  ];
}

function print(
  { results, failures }: Outcome,
  machine: Machine,
  { agent, isJson }: { agent: MeasuredAgent; isJson: boolean },
): void {
  const misses = missed(results);
  if (isJson) {
    const seconds = Number(elapsed().split(' ')[0]);
    const { flags } = agent;
    console.log(
      JSON.stringify({
        ok: misses.length === 0 && failures.length === 0,
        results,
        failures,
        machine,
        flags,
        seconds,
      }),
    );
    return;
  }
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, Linux ${machine.kernel}, Node ${machine.node}`,
  );
  console.log(
    `agent: node ${[...agent.flags, path.relative('.', agent.starter), path.relative('.', agent.bundle)].join(' ')}; load at the start ${machine.loadAtStart.toFixed(1)}; first touch of a page of memory after a second of rest ${machine.restedPageUs.toFixed(1)} µs`,
  );
  console.log(
    'Agent, bare node, bare node:http and pm2 run on this Node; the product ships a Node 22, and --node PATH takes another',
  );
  console.log('Every value is a median; what each benchmark measures: npm run bench -- --list\n');
  console.log(renderTable(results));
  for (const { benchmark, message } of failures) console.log(`\nFAILED ${benchmark}: ${message}`);
  console.log(
    `\n${misses.length === 0 ? 'every goal is reached' : `${misses.length} goals are missed`}; took ${elapsed()}`,
  );
}

function elapsed(): string {
  return `${((Date.now() - startedMs) / 1000).toFixed(0)} s`;
}
