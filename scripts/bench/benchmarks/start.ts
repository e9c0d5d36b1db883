import { spawn } from 'node:child_process';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { end, environment, runToEnd } from '../launch.ts';
import type { Measurement } from '../result.ts';
import { Series } from '../series.ts';
import { startAgent } from '../subjects/agent.ts';
import { bareHttp } from '../subjects/bare-node.ts';
import type { UnitSet } from '../unit-set.ts';
import { firstAnswer } from '../unix-http.ts';

const nothing = 'node -e 0';
const bareServer = 'bare node:http';
const firstStart = 'first start ever';

/** Time from exec to the API, and to the first unit's first line. */
export const start: Benchmark = {
  name: 'start',
  groups: ['start'],
  about:
    'milliseconds from exec to the first 200 of GET /v1/status on the Unix socket (node -e 0: to its exit), and to the first line of a trivial unit; a board that has been on before (configuration parsed and code compiled by an earlier start), page cache warm; "first start ever": an empty home',
  run: async (context) => {
    const answers = new Series();
    const units = new Series();
    const rounds = context.isQuick ? 5 : 15;
    const board = context.stage.units(['unit']);
    for (let round = 0; round <= rounds; round++) {
      context.say(`start ${round}/${rounds}`);
      // The first round only warms the page cache, and parses the configuration.
      const [into, unitsInto] = round === 0 ? [new Series(), new Series()] : [answers, units];
      await sampleNode(context, into);
      await sampleBareHttp(context, into);
      await sampleAgent(context, board, into, unitsInto);
      if (round % 5 === 1) {
        await samplePeers(context, units);
        await sampleFirst(context, answers);
      }
    }
    return rows(answers, units, await compileTimes(context));
  },
};

async function sampleNode(context: Context, into: Series): Promise<void> {
  const startedMs = performance.now();
  const child = spawn(context.node, ['-e', '0'], { stdio: 'ignore', env: environment() });
  await new Promise((resolve) => child.once('exit', resolve));
  into.add(nothing, performance.now() - startedMs);
}

async function sampleBareHttp({ stage, node }: Context, into: Series): Promise<void> {
  const units = stage.units(['unit']);
  const startedMs = performance.now();
  const running = await bareHttp(node).start(units.dir, units);
  const contender = stage.adopt({ name: bareServer, units, running });
  await firstAnswer(path.join(units.dir, 'api.sock'), '/v1/status');
  into.add(bareServer, performance.now() - startedMs);
  await stage.remove(contender);
}

/** The same board again and again: its unit is killed between, as a board is off between. */
async function sampleAgent(
  { agent }: Context,
  board: UnitSet,
  into: Series,
  unitsInto: Series,
): Promise<void> {
  const started = board.next('unit');
  const startedMs = performance.now();
  const running = startAgent(agent, board.dir, board);
  try {
    await firstAnswer(running.socketPath, '/v1/status');
    into.add('agent', performance.now() - startedMs);
    unitsInto.add('agent', (await started).atMs - startedMs);
  } finally {
    await running.stop();
    for (const pid of board.pids()) await end(pid, 'SIGKILL');
  }
}

/** An empty home and nothing kept. */
async function sampleFirst({ stage, agent }: Context, into: Series): Promise<void> {
  const units = stage.units(['unit']);
  const { kept: _, ...fresh } = agent;
  const startedMs = performance.now();
  const running = startAgent(fresh, units.dir, units);
  const contender = stage.adopt({ name: firstStart, units, running });
  await firstAnswer(running.socketPath, '/v1/status');
  into.add(firstStart, performance.now() - startedMs);
  await units.allStarted();
  await stage.remove(contender);
}

async function samplePeers({ stage, peers }: Context, into: Series): Promise<void> {
  for (const peer of peers.filter(({ name }) => !name.startsWith('bare'))) {
    const units = stage.units(['unit']);
    const startedMs = performance.now();
    const contender = await stage.put(peer, units);
    into.add(peer.name, units.latest('unit').atMs - startedMs);
    await stage.remove(contender);
  }
}

/** Milliseconds that V8 takes to read the bundle before it runs a line, functions left lazy as at a real start. */
async function compileTimes(context: Context): Promise<Series> {
  const series = new Series();
  const program = path.resolve('scripts/bench/programs/compile.mjs');
  for (let i = 0; i < 5; i++) {
    const { text } = await runToEnd([
      context.node,
      '--no-warnings',
      '--experimental-vm-modules',
      program,
      context.agent.bundle,
    ]);
    series.add('compile', Number(text));
  }
  return series;
}

function rows(answers: Series, units: Series, compile: Series): readonly Measurement[] {
  const api = { group: 'start', name: 'exec → API answers', unit: 'ms', subject: 'agent' };
  const unit = { group: 'start', name: 'exec → first unit runs', unit: 'ms', subject: 'agent' };
  return [
    ...compare(answers, api, [nothing, bareServer], { [nothing]: { of: 'ratio', is: '<=', bound: 1.5 } }),
    ...compare(answers, { ...api, name: 'exec → API answers, first start ever', subject: firstStart }, [
      nothing,
    ]),
    ...compare(units, unit, ['runit', 's6', 'supervisord', 'pm2', 'monit']),
    {
      group: 'start',
      name: 'compiling the bundle, saved at every start but the first',
      unit: 'ms',
      summary: compile.summary('compile'),
      reference: { name: firstStart, summary: answers.summary(firstStart) },
    },
  ];
}
