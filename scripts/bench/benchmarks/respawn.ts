import { performance } from 'node:perf_hooks';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { end, eventually, pause } from '../launch.ts';
import type { Measurement } from '../result.ts';
import { Series } from '../series.ts';
import type { Contender } from '../stage.ts';
import { agentSubject, type RunningAgent, startAgent } from '../subjects/agent.ts';
import type { Subject } from '../subjects/subject.ts';
import { request } from '../unix-http.ts';

/** Every unit lives at least this long before it is killed; runit and supervisord punish a life below 1 s. */
const lifeMs = 2_000;

/** Time from one respawn to the next of the same supervisor, in milliseconds: what follows a respawn is over by then. */
const breathMs = 20;

/** Supervisors that wait about a second by design are killed in every third round only, and once. */
const slow = ['s6', 'supervisord', 'monit'];

/** Time from SIGKILL of a unit to its successor's first line. */
export const respawn: Benchmark = {
  name: 'respawn',
  groups: ['respawn'],
  wider: ['supervise'],
  about:
    'milliseconds from SIGKILL of a trivial unit that had run for more than 2 s to the first line of its successor; "first crash": every unit of an agent with default settings is killed once; "stable": the same units again and again, failures forgotten after 1 s; "awake": another unit of the same supervisor was killed just before, so that its memory is at hand; "adopted": the unit was started by an agent that was killed since',
  run: async (context) => {
    const series = new Series();
    const awake = new Series();
    const rounds = context.isQuick ? 4 : 9;
    const contenders = await startAll(context, rounds);
    for (let round = 0; round < rounds; round++) {
      context.say(`respawn ${round + 1}/${rounds}`);
      for (const { name, units } of inTurn(contenders, round)) {
        if (slow.includes(name) && round % 3 !== 0) continue;
        const [unit, other] = pair(units.names, round);
        await pause(Math.max(0, units.latest(unit).atMs + lifeMs - performance.now()));
        series.add(name, await units.killAndAwaitSuccessor(unit));
        if (slow.includes(name)) continue;
        await pause(breathMs);
        awake.add(name, await units.killAndAwaitSuccessor(other));
      }
    }
    await adoptionRounds(context, series);
    return rows(series, awake);
  },
};

/** The two units that are killed in a round: the same ones again where there are no others. */
function pair(names: readonly string[], round: number): readonly [string, string] {
  const at = (2 * round) % names.length;
  return [names[at]!, names[(at + 1) % names.length]!];
}

/** Somebody else goes first in each round: whoever is killed after seconds without work meets a machine that has gone to sleep. */
function inTurn<T>(all: readonly T[], round: number): readonly T[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

async function startAll(context: Context, rounds: number): Promise<readonly Contender[]> {
  const many = Array.from({ length: 2 * rounds }, (_, index) => `unit${index}`);
  const two = ['unit', 'other'];
  const contenders: Contender[] = [];
  const add = async (name: string, subject: Subject, names: readonly string[]): Promise<void> => {
    const contender = await context.stage.put(subject, context.stage.units(names));
    contenders.push({ ...contender, name });
  };
  await add('first crash', agentSubject(context.agent), many);
  await add('stable', agentSubject(context.agent, { 'restart.stableMs': 1_000 }), two);
  for (const peer of context.peers.filter(({ name }) => name !== 'bare node')) {
    await add(peer.name, peer, two);
  }
  return contenders;
}

/** Kills the agent, starts another in the same home, waits until it supervises the unit, then kills the unit. */
async function adoptionRounds(context: Context, series: Series): Promise<void> {
  const units = context.stage.units(['unit']);
  const start = (): RunningAgent => startAgent(context.agent, units.dir, units);
  let agent = start();
  context.stage.adopt({ name: 'agent', units, running: { supervisors: () => [], stop: () => agent.stop() } });
  await units.allStarted();
  const rounds = context.isQuick ? 2 : 4;
  for (let round = 0; round < rounds; round++) {
    context.say(`respawn of an adopted unit ${round + 1}/${rounds}`);
    const { pid } = units.latest('unit');
    await pause(lifeMs);
    await end(agent.pid, 'SIGKILL');
    const startedMs = performance.now();
    agent = start();
    await adopted(agent, pid);
    series.add('adoption', performance.now() - startedMs);
    await pause(lifeMs);
    series.add('adopted', await units.killAndAwaitSuccessor('unit'));
  }
}

async function adopted(agent: RunningAgent, pid: number): Promise<void> {
  const isAdopted = await eventually(
    async () => {
      try {
        const { body } = await request(agent.socketPath, '/v1/status');
        const { units } = JSON.parse(body) as { units: readonly { pid?: number; adopted?: boolean }[] };
        return units.some((unit) => unit.pid === pid && unit.adopted === true);
      } catch {
        // The socket file of the killed agent is still there, and nobody listens.
        return false;
      }
    },
    20_000,
    2,
  );
  if (!isAdopted) throw new Error(`Cannot see unit ${pid} adopted: status does not show it within 20 s`);
}

function rows(series: Series, awake: Series): readonly Measurement[] {
  const references = ['runit', 'bare node:http', 'pm2', 's6', 'supervisord', 'monit'];
  const shared = { group: 'respawn', unit: 'ms' };
  const asRunit = { runit: { of: 'ratio', is: '<=', bound: 1.5 } } as const;
  return [
    ...compare(
      series,
      { ...shared, name: 'respawn, first crash', subject: 'first crash' },
      references,
      asRunit,
    ),
    ...compare(series, { ...shared, name: 'respawn, stable unit', subject: 'stable' }, ['runit'], asRunit),
    ...compare(
      awake,
      { ...shared, name: 'respawn, first crash, awake', subject: 'first crash' },
      ['runit', 'bare node:http'],
      asRunit,
    ),
    ...compare(
      awake,
      { ...shared, name: 'respawn, stable unit, awake', subject: 'stable' },
      ['runit'],
      asRunit,
    ),
    ...compare(series, { ...shared, name: 'respawn, adopted unit', subject: 'adopted' }, ['runit']),
    {
      ...shared,
      name: 'exec → unit of a killed agent adopted',
      summary: series.summary('adoption'),
    },
  ];
}
