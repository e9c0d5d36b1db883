import { spawn } from 'node:child_process';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { environment, runToEnd } from '../launch.ts';
import type { Measurement } from '../result.ts';
import { Series } from '../series.ts';
import { startAgent } from '../subjects/agent.ts';
import { bareHttp } from '../subjects/bare-node.ts';
import { firstAnswer } from '../unix-http.ts';

const nothing = 'node -e 0';
const bareServer = 'bare node:http';

/** Time from exec to the API, and to the first unit's first line. */
export const start: Benchmark = {
  name: 'start',
  groups: ['start'],
  about:
    'milliseconds from exec to the first 200 of GET /v1/status on the Unix socket (node -e 0: to its exit), and to the first line of a trivial unit; each start in a fresh folder, page cache warm',
  run: async (context) => {
    const answers = new Series();
    const units = new Series();
    const rounds = context.isQuick ? 5 : 20;
    for (let round = 0; round <= rounds; round++) {
      context.say(`start ${round}/${rounds}`);
      // The first round only warms the page cache.
      const [into, unitsInto] = round === 0 ? [new Series(), new Series()] : [answers, units];
      await sampleNode(context, into);
      await sampleBareHttp(context, into);
      await sampleAgent(context, into, unitsInto);
      if (round % 5 === 1) await samplePeers(context, units);
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

async function sampleAgent({ stage, agent }: Context, into: Series, unitsInto: Series): Promise<void> {
  const units = stage.units(['unit']);
  const startedMs = performance.now();
  const running = startAgent(agent, units.dir, units);
  const contender = stage.adopt({ name: 'agent', units, running });
  await firstAnswer(running.socketPath, '/v1/status');
  into.add('agent', performance.now() - startedMs);
  await units.allStarted();
  unitsInto.add('agent', units.latest('unit').atMs - startedMs);
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
    ...compare(units, unit, ['runit', 's6', 'supervisord', 'pm2', 'monit']),
    {
      group: 'start',
      name: 'compiling the bundle, share of the start',
      unit: 'ms',
      summary: compile.summary('compile'),
      reference: { name: 'exec → API answers', summary: answers.summary('agent') },
    },
  ];
}
