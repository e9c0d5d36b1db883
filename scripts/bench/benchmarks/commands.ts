import { performance } from 'node:perf_hooks';
import type { Benchmark } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { runToEnd } from '../launch.ts';
import { Series } from '../series.ts';
import type { Contender } from '../stage.ts';
import { agentSubject } from '../subjects/agent.ts';
import type { Command } from '../subjects/subject.ts';

const nothing = 'node -e 0';

/** Wall time of the command that tells how the units are. */
export const commands: Benchmark = {
  name: 'commands',
  groups: ['commands'],
  wider: ['latency'],
  about:
    'milliseconds from exec to exit of the command a person types for the state of the units: agentctl status, sv status, s6-svstat, pm2 jlist, supervisorctl status, monit status',
  run: async (context) => {
    const series = new Series();
    const rounds = context.isQuick ? 3 : 10;
    const subjects = [agentSubject(context.agent), ...context.peers];
    const contenders: Contender[] = [];
    for (const subject of subjects.filter(({ name }) => !name.startsWith('bare'))) {
      contenders.push(await context.stage.put(subject, context.stage.units(['unit'])));
    }
    for (let round = 0; round <= rounds; round++) {
      context.say(`commands ${round}/${rounds}`);
      // The first round only warms the page cache.
      const into = round === 0 ? new Series() : series;
      into.add(nothing, await timed({ argv: [context.node, '-e', '0'] }));
      for (const { name, running } of contenders) {
        if (running.statusCommand !== undefined) into.add(name, await timed(running.statusCommand));
      }
    }
    const shared = { group: 'commands', name: 'agentctl status', unit: 'ms', subject: 'agent' };
    return compare(series, shared, [nothing, 'pm2', 'supervisord', 'monit', 'runit', 's6']);
  },
};

async function timed({ argv, env }: Command): Promise<number> {
  const startedMs = performance.now();
  const { status, text } = await runToEnd(argv, env === undefined ? {} : { env });
  const ms = performance.now() - startedMs;
  // 1 is an answer too: something is not ready.
  if (status > 1)
    throw new Error(`Cannot time "${argv.join(' ')}": it ended with ${status}: ${text.slice(0, 300)}`);
  return ms;
}
