import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import { Askers } from './askers.ts';

/** What the page shows; every value is read from the agent when it is asked for. */
export interface DashboardSource {
  /** Calls the listener with each message of the watch until it ends; resolves with the reason. */
  watch(listener: (message: unknown) => void, signal: AbortSignal): Promise<string>;
  samples(signal: AbortSignal): Promise<unknown>;
  ledger(signal: AbortSignal): Promise<unknown>;
}

/** Bytes that a page may lag behind before it is dropped; it comes back by itself. */
const lagBytes = 4_194_304;
/** Milliseconds between two tries to reach an agent that has gone. */
const retryMs = 2_000;

/**
 * The status page on the developer's own machine: one file, a stream of server-sent events and two questions, on the
 * loopback interface. It can only read, and only a page of its own may ask it: another page in the same browser is refused.
 */
export class DashboardServer {
  readonly #page: string;
  readonly #policy: string;
  readonly #source: DashboardSource;
  readonly #askers = new Askers();
  readonly #server: http.Server;

  constructor(page: string, source: DashboardSource) {
    this.#page = page;
    this.#policy = policyOf(page);
    this.#source = source;
    this.#server = http.createServer({ maxHeaderSize: 16_384 }, (request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.#server.maxConnections = 64;
  }

  /** Listens on a port (0 takes a free one) and returns the address for a browser. */
  async start(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      // Stays, as in the listener for other machines.
      this.#server.on('error', (error) => {
        const text = `Cannot show the dashboard on port ${port}: ${errnoOf(error) ?? messageOf(error)}; choose another with --port`;
        reject(new AgentError('FILE_FAILED', text, { cause: error }));
      });
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${this.#port}/`;
  }

  async stop(): Promise<void> {
    this.#askers.dismiss();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  get #port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const signal = this.#askers.signalFor(response);
    if (!isOwnPage(request, this.#port)) return end(response, 403, 'Only the dashboard itself may ask here');
    switch (request.url) {
      case '/':
        return this.#sendPage(response);
      case '/stream':
        return this.#stream(response, signal);
      case '/samples':
        return sendJson(response, () => this.#source.samples(signal));
      case '/ledger':
        return sendJson(response, () => this.#source.ledger(signal));
      default:
        return end(response, 404, 'There is nothing here');
    }
  }

  #sendPage(response: http.ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': this.#policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    response.end(this.#page);
  }

  /** Hands on every message; when the agent goes away it says so and tries again until the page is closed. */
  async #stream(response: http.ServerResponse, signal: AbortSignal): Promise<void> {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const send = (event: string, data: unknown): void => {
      if (response.writableLength > lagBytes) response.destroy();
      else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    while (!signal.aborted) {
      const reason = await this.#source.watch((message) => send('watch', message), signal).catch(messageOf);
      if (signal.aborted) break;
      send('lost', { reason });
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, retryMs);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    }
    response.end();
  }
}

/** Only GET, only for this address (a name that was pointed here by DNS is not it), and never for another page. */
function isOwnPage({ method, headers }: http.IncomingMessage, port: number): boolean {
  const own = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (method !== 'GET' || !own.includes(headers.host ?? '')) return false;
  const { origin } = headers;
  if (origin !== undefined && !own.some((host) => origin === `http://${host}`)) return false;
  return ['same-origin', 'none', undefined].includes(headers['sec-fetch-site'] as string | undefined);
}

async function sendJson(response: http.ServerResponse, ask: () => Promise<unknown>): Promise<void> {
  try {
    const text = JSON.stringify(await ask());
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(text);
  } catch (error) {
    end(response, 502, messageOf(error));
  }
}

function end(response: http.ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

/** Nothing but the page's own script and style, known by their hashes, may run; nothing is loaded from anywhere else. */
function policyOf(page: string): string {
  const hashOf = (tag: string): string => {
    const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  return `default-src 'none'; connect-src 'self'; script-src ${hashOf('script')}; style-src ${hashOf('style')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
