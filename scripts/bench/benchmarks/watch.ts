import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { WebSocket } from 'ws';
import type { Benchmark } from '../benchmark.ts';
import { compare } from '../compare.ts';
import { pause } from '../launch.ts';
import { Series } from '../series.ts';
import { startAgent } from '../subjects/agent.ts';
import { bareWatch } from '../subjects/bare-node.ts';
import { firstAnswer, request } from '../unix-http.ts';

const clients = 50;
const bare = 'bare ws server';

/** How long the last of many listeners waits for a piece of news. */
export const watch: Benchmark = {
  name: 'watch',
  groups: ['latency'],
  about: `milliseconds from POST …/restart of a unit until the first event has reached the last of ${clients} WebSocket clients of /v1/watch; the reference sends an event of that size to ${clients} clients on a POST`,
  run: async (context) => {
    const { stage } = context;
    const units = stage.units(['unit']);
    const agent = startAgent(context.agent, units.dir, units);
    stage.adopt({ name: 'agent', units, running: agent });
    const server = await stage.put(bareWatch(context.node), stage.units([]));
    const bareSocket = path.join(server.units.dir, 'api.sock');
    await units.allStarted();
    await firstAnswer(bareSocket, '/');
    const series = new Series();
    const agentClients = await connect(agent.socketPath);
    const bareClients = await connect(bareSocket);
    const rounds = context.isQuick ? 3 : 8;
    for (let round = 0; round < rounds; round++) {
      context.say(`watch ${round + 1}/${rounds}`);
      const restarted = units.next('unit');
      series.add('agent', await newsTime(agent.socketPath, agentClients));
      await restarted;
      series.add(bare, await newsTime(bareSocket, bareClients));
      // The unit must count as stable, and the news of its start must be over, before the next round.
      await pause(1_500);
    }
    for (const client of [...agentClients, ...bareClients]) client.terminate();
    const shared = {
      group: 'latency',
      name: `watch, event at ${clients} clients`,
      unit: 'ms',
      subject: 'agent',
    };
    return compare(series, shared, [bare]);
  },
};

async function connect(socketPath: string): Promise<readonly WebSocket[]> {
  return Promise.all(
    Array.from(
      { length: clients },
      async () =>
        new Promise<WebSocket>((resolve, reject) => {
          const client = new WebSocket(`ws+unix:${socketPath}:/v1/watch`);
          client.once('message', () => resolve(client));
          client.once('error', reject);
        }),
    ),
  );
}

async function newsTime(socketPath: string, listeners: readonly WebSocket[]): Promise<number> {
  const arrived = listeners.map(
    async (client) =>
      new Promise((resolve) => {
        client.once('message', resolve);
      }),
  );
  const startedMs = performance.now();
  const posted = request(socketPath, '/v1/units/unit/restart', { method: 'POST' });
  await Promise.all(arrived);
  const ms = performance.now() - startedMs;
  await posted;
  return ms;
}
