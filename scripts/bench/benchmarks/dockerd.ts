import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { linkPrograms } from '../../dockerd/link-programs.ts';
import { namespaceOf } from '../../dockerd/namespace.ts';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { environment } from '../launch.ts';
import { Series } from '../series.ts';

const byHand = 'the same dockerd, started by hand at once';
const agentReady = 'agent: killed → ready';
const spawned = 'exec → dockerd spawned';

/** The real dockerd under the agent. */
export const dockerd: Benchmark = {
  name: 'dockerd',
  groups: ['dockerd'],
  isOnDemand: true,
  about:
    "this machine's dockerd in namespaces of its own: milliseconds from SIGKILL to 200 of GET /info under the agent, and when the same command line is started by hand at once after the same kill; from exec of the agent to dockerd's process and to /info",
  run: async (context) => {
    if (process.getuid?.() !== 0) throw new Error('Cannot run dockerd: this needs root; use sudo');
    if (!existsSync('/usr/sbin/dockerd'))
      throw new Error('Cannot run dockerd: it is not there; run apt-get install docker.io');
    const series = await contest(context);
    const shared = { group: 'dockerd', unit: 'ms' };
    const least = { of: 'ratio', is: '<=', bound: 1.1 } as const;
    return [
      ...compare(
        series,
        { ...shared, name: 'dockerd killed → dockerd ready', subject: agentReady },
        [byHand],
        {
          [byHand]: least,
        },
      ),
      ...compare(
        series,
        { ...shared, name: 'dockerd killed → spawned', subject: 'agent: killed → spawned' },
        [agentReady],
      ),
      ...compare(series, { ...shared, name: spawned, subject: spawned }, ['exec → dockerd ready']),
    ];
  },
};

async function contest({ stage, agent, isQuick, say }: Context): Promise<Series> {
  const folder = stage.folder();
  linkPrograms(undefined, `${folder}/bin`);
  const namespace = namespaceOf(path.resolve('test/programs/dockerd-namespace.sh'));
  const program = [process.execPath, path.resolve('scripts/bench/programs/dockerd-contest.mjs')];
  const { node, starter, bundle, kept = '' } = agent;
  const args = [folder, `${folder}/bin`, isQuick ? '3' : '8', node, starter, bundle, kept];
  const child = spawn('unshare', [...namespace, ...program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment(),
  });
  const series = new Series();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { name, ms } = JSON.parse(line) as { name: string; ms: number };
    say(`dockerd: ${name} ${ms.toFixed(0)} ms`);
    series.add(name === 'by hand: killed → ready' ? byHand : name, ms);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`Cannot measure dockerd: the contest ended with ${String(code)}`);
  return series;
}
