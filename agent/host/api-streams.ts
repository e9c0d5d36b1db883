import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import type { StreamSink, StreamStart } from '../core/api-port.ts';

/** Close codes of RFC 6455: going away, policy violated. */
const goingAway = 1001;
const policyViolated = 1008;
/** Milliseconds that a closing reader may take before its connection is cut. */
const closeMs = 2_000;
/** Largest message in bytes that a reader may send; nothing it says is read. */
const maxMessageBytes = 1_024;

/** A connection that asks to become a WebSocket. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The WebSockets of one listener. Library `ws` is loaded with the first of them: an idle agent never pays for it. */
export class ApiStreams {
  readonly #lagBytes: number;
  readonly #open = new Set<WebSocket>();
  #server: Promise<WebSocketServer> | undefined;
  #isOver = false;

  constructor(lagBytes: number) {
    this.#lagBytes = lagBytes;
  }

  /** Makes the connection a WebSocket and starts the stream on it. */
  async accept({ request, socket, head }: Upgrade, start: StreamStart): Promise<void> {
    this.#server ??= loadServer();
    const server = await this.#server;
    if (this.#isOver || socket.destroyed) {
      socket.destroy();
      return;
    }
    server.handleUpgrade(request, socket, head, (webSocket) => this.#run(webSocket, socket, start));
  }

  /** Ends every stream with a reason; later ones are refused. */
  endAll(reason: string): void {
    this.#isOver = true;
    this.dropAll(reason);
  }

  /** Ends every stream with a reason; whoever may come again does. */
  dropAll(reason: string): void {
    for (const webSocket of this.#open) close(webSocket, goingAway, reason);
  }

  #run(webSocket: WebSocket, socket: Duplex, start: StreamStart): void {
    this.#open.add(webSocket);
    let stop: (() => void) | undefined;
    let isOver = false;
    const finish = (): void => {
      isOver = true;
      this.#open.delete(webSocket);
      stop?.();
      stop = undefined;
    };
    webSocket.on('error', () => webSocket.terminate());
    webSocket.on('close', finish);
    const end = (code: number, reason: string): void => {
      if (isOver) return;
      finish();
      close(webSocket, code, reason);
    };
    const sink: StreamSink = {
      send: (message) => {
        if (isOver) return;
        webSocket.send(JSON.stringify(message));
        if (webSocket.bufferedAmount > this.#lagBytes) end(policyViolated, 'SlowReader: too far behind');
      },
      ready: async () => {
        if (!isOver && webSocket.bufferedAmount > this.#lagBytes / 2) await drained(socket);
      },
      end: (reason) => end(1_000, reason),
    };
    stop = start(sink);
    if (isOver) stop();
  }
}

/** Resolves when everything written has been taken, or nothing will be any more. */
function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed || !socket.writableNeedDrain) return resolve();
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

async function loadServer(): Promise<WebSocketServer> {
  const { WebSocketServer } = await import('ws');
  return new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
}

/** Says why and closes; cuts the connection where the reader does not close in time. */
function close(webSocket: WebSocket, code: number, reason: string): void {
  webSocket.close(code, clip(reason));
  const timer = setTimeout(() => webSocket.terminate(), closeMs);
  webSocket.once('close', () => clearTimeout(timer));
}

/** A close reason has room for 123 bytes (RFC 6455, 5.5). */
function clip(reason: string): string {
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, 120)).replace(/\uFFFD$/u, '');
}
