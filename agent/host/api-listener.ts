import http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { messageOf } from '../core/agent-error.ts';
import type { Api, ApiAnswer, Permission } from '../core/api-port.ts';
import type { Log } from '../core/log.ts';
import { ApiStreams } from './api-streams.ts';
import { Askers } from './askers.ts';
import { refusalOf } from './browser-check.ts';
import { isPipelined } from './is-pipelined.ts';
import { boundPatience, withoutOwnCheck } from './patience.ts';
import { headersOf, refuseUpgrade } from './refuse-upgrade.ts';
import { listenOnFile, removeSocketFile, type SocketAccess } from './socket-file.ts';
import { UnreadAnswers } from './unread-answers.ts';

/** Bounds of one listener. All of them exist so that no asker can cost the agent more than a little memory. */
export interface ListenerLimits {
  /** Open connections, streams included; more are closed at once. @default 64 */
  readonly connections: number;
  /** Bytes of a request's body. @default 65536 */
  readonly bodyBytes: number;
  /** Bytes of a request's line and headers. @default 8192 */
  readonly headerBytes: number;
  /** Milliseconds until the headers must be complete. @default 5000 */
  readonly headersMs: number;
  /** Milliseconds from then until the whole request must be there. @default 10000 */
  readonly requestMs: number;
  /** Milliseconds that an idle connection is kept after an answer. @default 5000 */
  readonly idleMs: number;
  /** Bytes that a stream's reader may lag behind before it is dropped. @default 1048576 */
  readonly lagBytes: number;
}

const defaultLimits: ListenerLimits = {
  connections: 64,
  bodyBytes: 65_536,
  headerBytes: 8_192,
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 5_000,
  lagBytes: 1_048_576,
};

/** What a listener is made of. */
export interface ListenerParts {
  readonly api: Api;
  readonly log: Log;
  /** Path of the Unix socket. */
  readonly path: string;
  readonly access: SocketAccess;
  /** What this way in allows. */
  readonly may: readonly Permission[];
  readonly limits?: Partial<ListenerLimits>;
}

/** HTTP and WebSocket on one Unix socket; knows sockets and bounds, asks the Api for every answer. */
export class ApiListener {
  readonly #parts: ListenerParts;
  readonly #limits: ListenerLimits;
  readonly #server: http.Server;
  readonly #streams: ApiStreams;
  readonly #over = new AbortController();
  readonly #askers = new Askers();
  readonly #unread = new UnreadAnswers();
  #isListening = false;
  #dropped = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#limits = { ...defaultLimits, ...parts.limits };
    this.#streams = new ApiStreams(this.#limits.lagBytes);
    this.#server = this.#makeServer();
  }

  /** Listens; ALREADY_RUNNING where another agent answers on the path, FILE_FAILED where it cannot be made. */
  async start(): Promise<void> {
    const { path, access, log } = this.#parts;
    await listenOnFile(this.#server, path, access);
    this.#isListening = true;
    this.#server.on('error', (error) => log.error('api.listener.failed', { path, error: messageOf(error) }));
  }

  /** Ends every stream and connection and takes the socket file away. */
  async stop(): Promise<void> {
    this.#over.abort();
    this.#askers.dismiss();
    // The file may be another agent's: it is ours only where listening succeeded.
    if (!this.#isListening) return;
    this.#isListening = false;
    removeSocketFile(this.#parts.path);
    this.#streams.endAll('The agent stops');
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), 500);
    await closed;
    clearTimeout(timer);
  }

  #makeServer(): http.Server {
    const { headerBytes, headersMs, requestMs, idleMs, connections } = this.#limits;
    const server = http.createServer({
      ...withoutOwnCheck,
      maxHeaderSize: headerBytes,
      keepAliveTimeout: idleMs,
    });
    const over = (socket: Socket): void => refuseBroken(tooSlow, socket);
    boundPatience(server, { headersMs, requestMs, idleMs, over });
    server.maxConnections = connections;
    server.maxHeadersCount = 40;
    server.on('request', (request, response) => {
      if (isPipelined(response)) return void request.socket.destroy();
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseBroken(error, socket));
    server.on('drop', () => this.#countDrop());
    return server;
  }

  /** Says once a minute that connections were dropped: a flood must not become a flood of the log. */
  #countDrop(): void {
    this.#dropped += 1;
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < 60_000) return;
    this.#toldMs = nowMs;
    const { connections } = this.#limits;
    this.#parts.log.warn('api.connections.dropped', {
      path: this.#parts.path,
      connections,
      dropped: this.#dropped,
    });
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const signal = this.#askers.signalFor(response);
    const isWithBody = hasBody(request);
    const refusal = refusalOf(request.headers, isWithBody);
    if (refusal !== undefined) {
      send(this.#unread, response, refusal);
      return;
    }
    if (!isWithBody) request.resume();
    const body = isWithBody ? await readBody(request, this.#limits.bodyBytes) : '';
    if (typeof body !== 'string') {
      send(this.#unread, response, body);
      return;
    }
    const { method = '', url: target = '' } = request;
    send(
      this.#unread,
      response,
      await this.#parts.api.handle({ method, target, body, may: this.#parts.may, signal }),
    );
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = refusalOf(request.headers, false);
    const { method = '', url: target = '' } = request;
    const { api, may } = this.#parts;
    const opening =
      refusal === undefined
        ? api.open({ method, target, body: '', may, signal: this.#over.signal })
        : ({ how: 'refused', answer: refusal } as const);
    if (opening.how === 'refused') {
      refuseUpgrade(socket, opening.answer);
      return;
    }
    this.#streams.accept({ request, socket, head }, opening.start).catch(() => socket.destroy());
  }
}

function hasBody(request: http.IncomingMessage): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

/**
 * Text of the body, or the answer that refuses it. What comes after the bound is thrown away for as long as a request
 * may take: closing at once would reset the connection before the asker has read why.
 */
function readBody(request: http.IncomingMessage, maxBytes: number): Promise<string | ApiAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else resolve(errorAnswer(413, 'TOO_LARGE', `Cannot read the body: want at most ${maxBytes} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
    request.on('close', () => reject(new Error('The request ended before its body')));
  });
}

function errorAnswer(status: number, code: string, message: string): ApiAnswer {
  return { status, body: { error: { code, message } } };
}

function send(unread: UnreadAnswers, response: http.ServerResponse, answer: ApiAnswer): void {
  if (response.destroyed || response.headersSent) return;
  const text = `${JSON.stringify(answer.body)}\n`;
  if (!unread.admit(response, text.length)) return send(unread, response, tooManyUnread);
  // Both ends have one clock, and writing a date reads ICU's time zones into memory for good.
  response.sendDate = false;
  response.writeHead(answer.status, headersOf(text));
  response.end(text);
}

const tooManyUnread = errorAnswer(
  409,
  'BUSY',
  'Cannot send the answer: too many others were asked for and are not read; ask for less, or again later',
);

/** As Node itself would say it. */
const tooSlow = { name: 'Error', message: 'Request timeout', code: 'ERR_HTTP_REQUEST_TIMEOUT' };

/** Answers what is not HTTP, too slow or too large, and closes. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const answers: Readonly<Record<string, ApiAnswer>> = {
    HPE_HEADER_OVERFLOW: errorAnswer(431, 'TOO_LARGE', 'Cannot read the headers: they are too large'),
    ERR_HTTP_REQUEST_TIMEOUT: errorAnswer(408, 'TIMED_OUT', 'Cannot read the request: it came too slowly'),
  };
  refuseUpgrade(
    socket,
    answers[error.code ?? ''] ??
      errorAnswer(400, 'REQUEST_INVALID', 'Cannot read the request: it is not HTTP'),
  );
}
