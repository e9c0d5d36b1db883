import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import type { Api, ApiAnswer } from '../core/api-port.ts';
import type { Log } from '../core/log.ts';
import { ApiStreams } from './api-streams.ts';
import { Askers } from './askers.ts';
import { isPipelined } from './is-pipelined.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { UnreadAnswers } from './unread-answers.ts';

/** Text for a path that is not part of the API, such as /metrics; undefined where there is none. */
export type TextPages = (
  path: string,
) => Promise<{ readonly status: number; readonly type: string; readonly body: string } | undefined>;

/** What the listener is made of. */
export interface LanListenerParts {
  readonly api: Api;
  readonly pages: TextPages;
  readonly log: Log;
  readonly address: string;
  readonly port: number;
  /** PEM files. Only clients with a certificate of this authority get an answer. */
  readonly tls: {
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
    /** Certificates that are no longer good; undefined where none was revoked. */
    readonly revokedFile: string | undefined;
  };
}

/** Bytes that a stream's reader may lag behind before it is dropped. */
const lagBytes = 262_144;
const maxConnections = 32;
/** Milliseconds between two looks at the files. A list of revoked certificates is short-lived: once it is over, OpenSSL lets nobody in. */
const lookMs = 60_000;

/**
 * The read-only API for other machines: HTTPS with mutual TLS, GET only. A client is known by its certificate, so there
 * is nothing that a page in somebody's browser could borrow; requests that come from one are refused all the same.
 */
export class LanListener {
  readonly #parts: LanListenerParts;
  readonly #streams = new ApiStreams(lagBytes);
  readonly #over = new AbortController();
  readonly #askers = new Askers();
  readonly #unread = new UnreadAnswers();
  #server: https.Server | undefined;
  #secrets = '';
  #looking: NodeJS.Timeout | undefined;

  constructor(parts: LanListenerParts) {
    this.#parts = parts;
  }

  /** The port in use. */
  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : this.#parts.port;
  }

  /** Rejects with CONFIG_INVALID where the files cannot be used, FILE_FAILED where the port is taken. */
  async start(): Promise<void> {
    const server = await this.#makeServer();
    const { address, port, log } = this.#parts;
    await new Promise<void>((resolve, reject) => {
      // Stays: a connection that the kernel fails to hand over later is one asker less, and no end of the agent.
      server.on('error', (error) => {
        const text = `Cannot listen on ${address}:${port}: ${errnoOf(error) ?? messageOf(error)}; choose another listen.port`;
        reject(new AgentError('FILE_FAILED', text, { cause: error }));
      });
      server.listen(port, address, resolve);
    });
    this.#server = server;
    this.#looking = setInterval(() => void this.reload(), lookMs);
    log.info('lan.listening', { address, port: this.port });
  }

  /**
   * Takes the files as they are now where they have changed, and lets everybody in anew. Files that cannot be used change
   * nothing.
   */
  async reload(): Promise<void> {
    const { log } = this.#parts;
    try {
      const secrets = await this.#readSecrets();
      if (textOf(secrets) === this.#secrets) return;
      this.#server?.setSecureContext(secrets);
      this.#secrets = textOf(secrets);
    } catch (error) {
      log.warn('lan.files-unusable', { error: errnoOf(error) ?? messageOf(error) });
      return;
    }
    this.#server?.closeAllConnections();
    this.#streams.dropAll('The certificates have changed');
    log.info('lan.files-taken');
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    this.#over.abort();
    this.#askers.dismiss();
    this.#streams.endAll('The agent stops');
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async #readSecrets(): Promise<SecureContextOptions> {
    const { caFile, certFile, keyFile, revokedFile } = this.#parts.tls;
    const [ca, cert, key] = await Promise.all([readFile(caFile), readFile(certFile), readFile(keyFile)]);
    const crl = revokedFile === undefined ? {} : { crl: await readFile(revokedFile) };
    return { ca, cert, key, ...crl, minVersion: 'TLSv1.2' };
  }

  async #makeServer(): Promise<https.Server> {
    try {
      const secrets = await this.#readSecrets();
      this.#secrets = textOf(secrets);
      const server = https.createServer({
        ...secrets,
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: 5_000,
        maxHeaderSize: 8_192,
        headersTimeout: 5_000,
        requestTimeout: 10_000,
        keepAliveTimeout: 5_000,
        // As at the socket: it wakes an idle agent.
        connectionsCheckingInterval: 10_000,
      });
      return this.#equip(server);
    } catch (error) {
      const text = `Cannot listen for other machines: ${errnoOf(error) ?? messageOf(error)}; check the files of listen.*`;
      throw new AgentError('CONFIG_INVALID', text, { cause: error });
    }
  }

  #equip(server: https.Server): https.Server {
    server.maxConnections = maxConnections;
    server.maxHeadersCount = 40;
    server.on('request', (request, response) => {
      if (isPipelined(response)) return void request.socket.destroy();
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      send(response, refusal.status, JSON.stringify(refusal.body));
      request.destroy();
      return;
    }
    const { url: target = '/' } = request;
    const page = await this.#parts.pages(target.split('?')[0] ?? '');
    if (page !== undefined) {
      send(response, page.status, page.body, page.type);
      return;
    }
    const signal = this.#askers.signalFor(response);
    const answer = await this.#parts.api.handle({
      method: 'GET',
      target,
      body: '',
      may: ['observe'],
      signal,
    });
    const text = `${JSON.stringify(answer.body)}\n`;
    if (this.#unread.admit(response, text.length)) return send(response, answer.status, text);
    const { status, body } = refuse(409, 'too many other answers are not read; ask again later');
    send(response, status, JSON.stringify(body));
  }

  #upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = refusalOf(request);
    const { url: target = '' } = request;
    const asked = { method: 'GET', target, body: '', may: ['observe'], signal: this.#over.signal } as const;
    const opening =
      refusal === undefined ? this.#parts.api.open(asked) : ({ how: 'refused', answer: refusal } as const);
    if (opening.how === 'opened') {
      this.#streams.accept({ request, socket, head }, opening.start).catch(() => socket.destroy());
      return;
    }
    refuseUpgrade(socket, opening.answer);
  }
}

function textOf({ ca, cert, key, crl }: SecureContextOptions): string {
  return [ca, cert, key, crl].map(String).join('\n');
}

/** Refuses what is not a plain reading question of a program. */
function refusalOf(request: http.IncomingMessage): ApiAnswer | undefined {
  const { headers, method } = request;
  if (!(request.socket as TLSSocket).authorized) return refuse(401, 'the client showed no good certificate');
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'only GET is answered here');
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
    return refuse(403, 'it comes from a browser');
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return hasBody ? refuse(413, 'it carries a body') : undefined;
}

function refuse(status: number, fact: string): ApiAnswer {
  return { status, body: { error: { code: 'FORBIDDEN', message: `Cannot take the request: ${fact}` } } };
}

function send(
  response: http.ServerResponse,
  status: number,
  text: string,
  type = 'application/json; charset=utf-8',
): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
