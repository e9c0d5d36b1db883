import type { RequestListener } from 'node:http';
import { createServer as createHttps, type Server } from 'node:https';
import type { Socket, Server as TcpServer } from 'node:net';
import type { Pair } from './authority.ts';

/** A TLS port that can be closed and opened again on the same number. */
export class SwitchablePort {
  readonly #address: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | TcpServer | undefined;
  #port: number;

  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  /** Port number; chosen by the system where it was 0. */
  get port(): number {
    return this.#port;
  }

  /** Begins to listen with a server made for it. */
  async open(server: Server | TcpServer): Promise<void> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#address, resolve);
    });
    this.#server = server;
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) this.#port = bound.port;
  }

  /** Closes the port and every connection on it. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** HTTPS server of the enrolment port: asks for a client certificate without demanding one. */
export function enrolmentServer(pair: Pair, listener: RequestListener): Server {
  return createHttps(
    {
      cert: pair.certificatePem,
      key: pair.keyPem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
    },
    listener,
  );
}

/** HTTPS server of the WebSocket port: demands a client certificate of the authority. */
export function hubServer(pair: Pair, caPem: string): Server {
  return createHttps({
    cert: pair.certificatePem,
    key: pair.keyPem,
    ca: caPem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
  });
}
