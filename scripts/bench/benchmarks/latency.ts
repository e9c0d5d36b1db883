import { writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Benchmark, Context } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { activityOf, memoryOf } from '../processes.ts';
import type { Measurement } from '../result.ts';
import { Series } from '../series.ts';
import { summarizeTail } from '../statistics.ts';
import { type RunningAgent, startAgent } from '../subjects/agent.ts';
import { bareHttp } from '../subjects/bare-node.ts';
import { firstAnswer, request } from '../unix-http.ts';

const bare = 'bare node:http';
const statusPath = '/v1/status';

interface Server {
  readonly name: string;
  readonly pid: number;
  readonly socketPath: string;
}

/** Answers of the API beside a bare server that sends the same document. */
export const latency: Benchmark = {
  name: 'latency',
  groups: ['latency', 'memory'],
  about:
    'GET /v1/status over the Unix socket, kept-alive connections: one request after the other (p50, p99), 16 at a time (requests per second, and per CPU-second of the server); the reference serializes and sends the same document; resident memory before and after the requests',
  run: async (context) => {
    const units = context.stage.units(['unit']);
    const agent = startAgent(context.agent, units.dir, units);
    context.stage.adopt({ name: 'agent', units, running: agent });
    await units.allStarted();
    const reference = await startBare(context, agent);
    return measure(context, [{ name: 'agent', ...agent }, reference]);
  },
};

async function startBare({ stage, node }: Context, agent: RunningAgent): Promise<Server> {
  const units = stage.units([]);
  const file = path.join(units.dir, 'status.json');
  await firstAnswer(agent.socketPath, statusPath);
  writeFileSync(file, (await request(agent.socketPath, statusPath)).body);
  const running = await bareHttp(node, file).start(units.dir, units);
  stage.adopt({ name: bare, units, running });
  const socketPath = path.join(units.dir, 'api.sock');
  await firstAnswer(socketPath, statusPath);
  return { name: bare, pid: running.supervisors()[0] ?? 0, socketPath };
}

async function measure(context: Context, servers: readonly Server[]): Promise<readonly Measurement[]> {
  const single = new Series();
  const throughput = new Series();
  const perCpu = new Series();
  const memory = new Series();
  const [rounds, requests, burst] = context.isQuick ? [5, 100, 2_000] : [20, 250, 5_000];
  for (const server of servers) await warmUp(server);
  const look = (when: string): void => {
    for (const { name, pid } of servers) memory.add(`${name} ${when}`, memoryOf([pid]).rss / 1024 / 1024);
  };
  look('before');
  for (let round = 0; round < rounds; round++) {
    context.say(`latency ${round + 1}/${rounds}`);
    if (round === Math.floor(rounds / 2)) look('half');
    for (const server of servers) {
      single.add(server.name, ...(await oneByOne(server, requests)));
      const { perSecond, perCpuSecond } = await sixteenAtOnce(server, burst);
      throughput.add(server.name, perSecond);
      perCpu.add(server.name, perCpuSecond);
    }
  }
  look('after');
  return rows({ single, throughput, perCpu, memory }, rounds * (requests + burst));
}

async function warmUp(server: Server): Promise<void> {
  await oneByOne(server, 300);
}

async function oneByOne(server: Server, count: number): Promise<readonly number[]> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    await request(server.socketPath, statusPath, { agent });
    times.push(performance.now() - startedMs);
  }
  agent.destroy();
  return times;
}

async function sixteenAtOnce(
  server: Server,
  count: number,
): Promise<{ readonly perSecond: number; readonly perCpuSecond: number }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const before = activityOf([server.pid]).cpuNs;
  const startedMs = performance.now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await request(server.socketPath, statusPath, { agent });
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const seconds = (performance.now() - startedMs) / 1000;
  agent.destroy();
  const cpuSeconds = (activityOf([server.pid]).cpuNs - before) / 1e9;
  return { perSecond: count / seconds, perCpuSecond: count / cpuSeconds };
}

interface Taken {
  readonly single: Series;
  readonly throughput: Series;
  readonly perCpu: Series;
  readonly memory: Series;
}

function rows(taken: Taken, requests: number): readonly Measurement[] {
  const shared = { group: 'latency', subject: 'agent' };
  const { single, throughput, perCpu, memory } = taken;
  return [
    ...compare(single, { ...shared, name: 'status p50', unit: 'ms' }, [bare]),
    {
      group: 'latency',
      name: 'status p99',
      unit: 'ms',
      summary: summarizeTail(single.samples('agent')),
      reference: { name: bare, summary: summarizeTail(single.samples(bare)) },
      goal: { of: 'ratio', is: '<=', bound: 2 },
    },
    ...compare(throughput, { ...shared, name: 'status, 16 at a time', unit: '1/s' }, [bare]),
    ...compare(perCpu, { ...shared, name: 'status per CPU-second', unit: '1/s' }, [bare]),
    ...compare(
      memory,
      { group: 'memory', name: `resident after ${requests} requests`, unit: 'MB', subject: 'agent after' },
      ['agent before', 'agent half', `${bare} after`],
      // Fewer only show how the heap of a young process grows.
      requests < 100_000 ? {} : { 'agent half': { of: 'ratio', is: '<=', bound: 1.05 } },
    ),
  ];
}
