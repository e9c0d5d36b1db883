import type http from 'node:http';
import type { Socket } from 'node:net';

/** How long an asker may take, in milliseconds. */
export interface Patience {
  /** Until the headers are complete. */
  readonly headersMs: number;
  /** From then until the whole request is there. */
  readonly requestMs: number;
  /** Until the next request on the same connection begins. */
  readonly idleMs: number;
  /** Called with a connection whose time is over. */
  readonly over: (socket: Socket) => void;
}

/**
 * What a server has to be made with: Node's own check of all connections runs without any, and waking up is most of what
 * an idle agent costs.
 */
export const withoutOwnCheck = {
  headersTimeout: 0,
  requestTimeout: 0,
  connectionsCheckingInterval: 2 ** 31 - 1,
} as const;

/** Bounds the time of each connection by a timer of its own. */
export function boundPatience(server: http.Server, { headersMs, requestMs, idleMs, over }: Patience): void {
  const timers = new WeakMap<Socket, NodeJS.Timeout>();
  const stop = (socket: Socket): void => clearTimeout(timers.get(socket));
  const wait = (socket: Socket, ms: number): void => {
    stop(socket);
    timers.set(socket, setTimeout(() => over(socket), ms).unref());
  };
  server.on('connection', (socket: Socket) => {
    wait(socket, headersMs);
    socket.once('close', () => stop(socket));
  });
  server.on('upgrade', ({ socket }) => stop(socket));
  server.on('request', (request, response) => {
    const { socket } = request;
    wait(socket, requestMs);
    request.once('end', () => stop(socket));
    response.once('close', () => {
      // One that was answered before it was there as a whole keeps the time that it has.
      if (request.complete && !socket.destroyed) wait(socket, idleMs + headersMs);
    });
  });
}
