import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { linkPrograms } from '../../dockerd/link-programs.ts';
import { namespaceOf } from '../../dockerd/namespace.ts';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { environment } from '../launch.ts';
import { Series } from '../series.ts';
import type { AgentProduct } from '../subjects/agent.ts';

const byHand = 'the same dockerd, started by hand at once';
const agentReady = 'agent: killed → ready';
const spawned = 'exec → dockerd spawned';

/** The real dockerd under the agent. */
export const dockerd: Benchmark = {
  name: 'dockerd',
  groups: ['dockerd'],
  isOnDemand: true,
  about:
    "this machine's dockerd in namespaces of its own: milliseconds from SIGKILL to 200 of GET /info under the agent, and, in turn with it in other namespaces, when the same command line is started by hand at once after the same kill; from exec of the agent to dockerd's process and to /info",
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

/**
 * Both sides live at the same time, each in namespaces of its own, and take turns: what the machine does besides meets both
 * alike.
 */
async function contest({ stage, agent, isQuick, say }: Context): Promise<Series> {
  const series = new Series();
  const hear = (name: string, ms: number): void => {
    say(`dockerd: ${name} ${ms.toFixed(0)} ms`);
    series.add(name === 'by hand: killed → ready' ? byHand : name, ms);
  };
  const sides = [
    new Side('agent', stage.folder(), agent, hear),
    new Side('hand', stage.folder(), agent, hear),
  ] as const;
  try {
    for (const side of sides) await side.isReady();
    const rounds = isQuick ? 3 : 8;
    for (let round = 0; round < rounds; round++) {
      // Whoever comes first in one round comes last in the next.
      for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side.order('kill');
    }
    for (let round = 0; round < 3; round++) await sides[0].order('exec');
  } finally {
    for (const side of sides) side.end();
  }
  return series;
}

/** One side of the contest, in its own namespaces. */
class Side {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #done: (error?: Error) => void = () => undefined;
  #next: Promise<void>;

  constructor(name: string, folder: string, agent: AgentProduct, hear: (name: string, ms: number) => void) {
    linkPrograms(undefined, `${folder}/bin`);
    const namespace = namespaceOf(path.resolve('test/programs/dockerd-namespace.sh'));
    const program = [process.execPath, path.resolve('scripts/bench/programs/dockerd-contest.mjs')];
    const { node, starter, bundle, kept = '' } = agent;
    const args = [name, folder, `${folder}/bin`, node, starter, bundle, kept];
    this.#next = this.#turn();
    this.#child = spawn('unshare', [...namespace, ...program, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environment(),
    });
    // One that has ended is told by its exit.
    this.#child.stdin.on('error', () => undefined);
    this.#child.once('close', (code) =>
      this.#done(new Error(`Cannot measure dockerd: side ${name} ended with ${String(code)}`)),
    );
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as { done: true } | { name: string; ms: number };
      if ('done' in said) this.#done();
      else hear(said.name, said.ms);
    });
  }

  async isReady(): Promise<void> {
    await this.#next;
  }

  async order(what: 'exec' | 'kill'): Promise<void> {
    this.#next = this.#turn();
    this.#child.stdin.write(`${what}\n`);
    await this.#next;
  }

  /** Its namespaces, and everything in them, end with it. */
  end(): void {
    this.#child.kill('SIGKILL');
  }

  #turn(): Promise<void> {
    const turn = new Promise<void>((resolve, reject) => {
      this.#done = (error) => {
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    // Heard where it is waited for.
    turn.catch(() => undefined);
    return turn;
  }
}
