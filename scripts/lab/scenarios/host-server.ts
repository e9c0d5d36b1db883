import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentError } from '../../../agent/core/agent-error.ts';

/** A web server on the host's loopback, which the board sees as 10.0.2.2 and 10.0.3.2. */
export interface HostServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves with the time (performance.now) of the first request for a path that came later than `sinceMs`; TIMED_OUT where none comes. */
  requestAfter(path: string, sinceMs: number, signal: AbortSignal): Promise<number>;
}

/** Size of every answer in bytes: some round trips long. */
const answerBytes = 65_536;

interface Arrival {
  readonly path: string;
  readonly atMs: number;
}

/** Starts a server that answers every request with the same bytes. */
export async function startHostServer(): Promise<HostServer> {
  const answer = Buffer.alloc(answerBytes, 'hello from the host\n');
  const arrivals: Arrival[] = [];
  const listeners = new Set<() => void>();
  const server = createHttpServer((request, response) => {
    arrivals.push({ path: request.url ?? '', atMs: performance.now() });
    for (const listener of listeners) listener();
    response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    requestAfter: (path, sinceMs, signal) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = arrivals.find((arrival) => arrival.path === path && arrival.atMs > sinceMs);
          if (found === undefined) return;
          listeners.delete(look);
          resolve(found.atMs);
        };
        listeners.add(look);
        signal.addEventListener('abort', () => {
          listeners.delete(look);
          reject(new AgentError('TIMED_OUT', `Nobody asked for ${path} in time`));
        });
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
