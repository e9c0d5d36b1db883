// Measures the agent beside bare programs and other supervisors in the same run; figures mean something only as ratios.
// Usage: npm run bench -- [GROUP]… [--quick] [--json] [--strict] [--node PATH] [--agent FILE] [--list]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
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

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    node: { type: 'string' },
    agent: { type: 'string', default: 'dist/agent.js' },
  },
});

const words = new Set(all.flatMap(wordsOf));
const unknown = positionals.filter((word) => !words.has(word));
if (unknown.length > 0) {
  console.error(`bench: unknown "${unknown.join(' ')}"; choose from: ${[...words].join(' ')}`);
  process.exit(2);
}
if (options.list) {
  for (const benchmark of all) console.log(`${wordsOf(benchmark).join(', ')}: ${benchmark.about}`);
  process.exit(0);
}

const agent = {
  node: path.resolve(options.node ?? defaultNode()),
  flags: launchFlags(),
  starter: path.resolve(path.dirname(options.agent), 'start.js'),
  bundle: path.resolve(options.agent),
  commandLine: path.resolve(path.dirname(options.agent), 'agentctl.js'),
};
for (const file of [agent.starter, agent.bundle, agent.commandLine]) {
  if (existsSync(file)) continue;
  console.error(`bench: cannot find ${file}; build it with: node build.mjs`);
  process.exit(2);
}
const startedMs = Date.now();
const progress = new Progress(process.stderr, () => performance.now());
const say = (text: string): void => progress.say(`bench ${elapsed()}: `, text);
if (isInside()) await measure();
else {
  for (const name of unpacked) {
    if ((await unpackPackage(cache, name)) === undefined)
      say(`${name} is left out: cannot download its Debian package`);
  }
  process.exitCode = await runInside();
}

async function measure(): Promise<void> {
  const nodeVersion = execFileSync(agent.node, ['--version'], { encoding: 'utf8' }).trim();
  const machine = describeMachine(nodeVersion);
  const chosen = all.filter(
    (benchmark) =>
      (positionals.length === 0 && benchmark.isOnDemand !== true) ||
      wordsOf(benchmark).some((word) => positionals.includes(word)),
  );
  say('an agent runs once, as on every board that was on before, and keeps its compiled code');
  const outcome = await withKeptCode(agent, async (product) =>
    runBenchmarks(chosen, positionals, {
      isQuick: options.quick,
      node: agent.node,
      agent: product,
      peers: availablePeers(),
      say,
    }),
  );
  progress.end();
  print(outcome, machine);
  if (outcome.failures.length > 0) process.exitCode = 70;
  else if (options.strict && missed(outcome.results).length > 0) process.exitCode = 1;
}

function availablePeers(): readonly Subject[] {
  const [supervisor, monitRoot] = unpacked.map((name) => unpackedFolder(cache, name));
  return [
    idleNode(agent.node),
    bareHttp(agent.node),
    runit({ isCapturing: false }),
    s6({ isCapturing: false }),
    ...(supervisor === undefined ? [] : [supervisord(supervisor)]),
    ...(monitRoot === undefined ? [] : [monit(monitRoot)]),
    pm2(agent.node),
  ];
}

function print({ results, failures }: Outcome, machine: Machine): void {
  const misses = missed(results);
  if (options.json) {
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
    `agent: node ${[...agent.flags, path.relative('.', agent.starter), path.relative('.', agent.bundle)].join(' ')}; load at the start ${machine.loadAtStart.toFixed(1)}`,
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
