import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { QuestionDesk } from '../core/question.ts';

const address = '127.0.0.1';
const maxBodyBytes = 65_536;

/**
 * Where edgecore's servicebus brings the questions of the cloud's router: plain HTTP on the loopback interface. Always
 * answers 200; what went wrong is in the body.
 */
export class QueryListener {
  readonly #server: http.Server;
  readonly #port: number;

  constructor(desk: QuestionDesk, port: number) {
    this.#port = port;
    this.#server = http.createServer(
      { maxHeaderSize: 8_192, headersTimeout: 2_000, requestTimeout: 5_000, keepAliveTimeout: 5_000 },
      (request, response) => {
        answer(desk, request, response).catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = 16;
    this.#server.maxHeadersCount = 40;
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** The port in use; differs from the wanted one where that was 0. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Rejects with FILE_FAILED where the port is taken. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => {
        const why = errnoOf(error) ?? messageOf(error);
        const text = `Cannot listen on ${address}:${this.#port}: ${why}; choose another query.port`;
        reject(new AgentError('FILE_FAILED', text, { cause: error }));
      });
      this.#server.listen(this.#port, address, () => resolve());
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(
  desk: QuestionDesk,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  // Nothing that a question may carry is needed, and nothing of it is kept.
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) return void request.destroy();
  }
  const { method = 'GET', url: target = '/' } = request;
  const { type, body } = await desk.answer({ method, target });
  response.writeHead(200, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}
