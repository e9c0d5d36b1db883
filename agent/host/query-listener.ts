import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { QuestionDesk } from '../core/question.ts';
import { isPipelined } from './is-pipelined.ts';

const address = '127.0.0.1';
const maxBodyBytes = 65_536;
const lingerMs = 500;

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
      {
        maxHeaderSize: 16_384,
        headersTimeout: 2_000,
        requestTimeout: 5_000,
        keepAliveTimeout: 5_000,
        // By default only every 30 s: so long whoever connects and says nothing would keep all questions out.
        connectionsCheckingInterval: 500,
      },
      (request, response) => {
        if (isPipelined(response)) return void request.socket.destroy();
        answer(desk, request, response).catch(() => response.destroy());
      },
    );
    this.#server.maxConnections = 16;
    this.#server.maxHeadersCount = 40;
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
      refuse(socket, isSlow ? 'it came too slowly' : 'it is too large or no HTTP');
    });
  }

  /** The port in use; differs from the wanted one where that was 0. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Rejects with FILE_FAILED where the port is taken. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      // Stays, as in the listener for other machines.
      this.#server.on('error', (error) => {
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
  if (!(await isShort(request))) {
    refuse(request.socket, `its body is above ${maxBodyBytes} bytes`);
    return;
  }
  const { method = 'GET', url: target = '/' } = request;
  const { type, body } = await desk.answer({ method, target });
  response.writeHead(200, { 'content-type': type, ...headersOf(body) });
  response.end(body);
}

/** Reports whether a body stays within its bound. Nothing that a question may carry is needed, and nothing of it is kept. */
function isShort(request: http.IncomingMessage): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) resolve(false);
    });
    request.on('end', () => resolve(true));
    request.on('error', reject);
    request.on('close', () => reject(new Error('The question ended in the middle')));
  });
}

/**
 * Answers what was not even read. Silence would be worse: without an answer the cloud tries again for three minutes
 * (kubeedge/kubeedge edge/pkg/servicebus and cloud/pkg/router, 1.18 to 1.23).
 */
function refuse(socket: Duplex, fact: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const error = { code: 'REQUEST_INVALID', message: `Cannot read the question: ${fact}` };
  const body = JSON.stringify({ schema: 1, error });
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    connection: 'close',
    ...headersOf(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 200 OK\r\n${lines.join('')}\r\n${body}`);
  // Whoever is still sending has a moment to read why.
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}

function headersOf(body: string): Record<string, string | number> {
  return {
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}
