import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import {
  type FrameLink,
  type FrameSession,
  type FrameTarget,
  type LinkEnd,
  LinkError,
} from '../core/link.ts';
import { dialPeer, endOfSocket } from './tls-peer.ts';

const handshakeMs = 10_000;
const maxFrameBytes = 4_194_304;
const maxUnsentBytes = 1_048_576;

/**
 * Sessions with CloudHub over WebSocket. The `ws` library is loaded only once the cloud's server has been reached and
 * checked. No Origin is sent: CloudHub would answer 403.
 */
export class CloudHubLink implements FrameLink {
  async open(target: FrameTarget, signal: AbortSignal): Promise<FrameSession> {
    const socket = await dialPeer(target, signal);
    try {
      const { WebSocket: Client } = await import('ws');
      signal.throwIfAborted();
      const host = target.host.includes(':') ? `[${target.host}]` : target.host;
      const client = new Client(`wss://${host}:${target.port}${target.path}`, {
        createConnection: () => socket,
        headers: { ...target.headers },
        perMessageDeflate: false,
        handshakeTimeout: handshakeMs,
        maxPayload: maxFrameBytes,
        followRedirects: false,
      });
      const session = new WebSocketSession(client, target);
      await session.opened(socket, signal);
      return session;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

class WebSocketSession implements FrameSession {
  readonly ended: Promise<LinkEnd>;
  readonly #client: WebSocket;
  #end: LinkEnd | undefined;

  constructor(client: WebSocket, target: FrameTarget) {
    this.#client = client;
    client.on('unexpected-response', (_request, response) => {
      const text = `"${target.host}:${target.port}" answered ${response.statusCode} instead of opening a session`;
      // 429 and 5xx are what a cloud that starts, or what stands before it, says to all boards at once.
      const status = response.statusCode ?? 0;
      const isPermanent = status < 500 && status !== 429;
      this.#end ??= { reason: 'Refused', message: text, isPermanent };
      client.terminate();
    });
    client.on('error', (error) => {
      this.#end ??= endOfSocket(error, target);
    });
    this.ended = new Promise((resolve) => {
      client.once('close', (code) => {
        const message = `"${target.host}:${target.port}" closed the session (${code})`;
        this.#end ??= { reason: 'Closed', message, isPermanent: false };
        resolve(this.#end);
      });
    });
  }

  opened(socket: TLSSocket, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#client.terminate();
        socket.destroy();
        reject(signal.reason as Error);
      };
      void this.ended.then((end) => {
        signal.removeEventListener('abort', abort);
        reject(new LinkError(end));
      });
      this.#client.once('open', () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  send(text: string): boolean {
    const isOpen = this.#client.readyState === this.#client.OPEN;
    if (!isOpen || this.#client.bufferedAmount > maxUnsentBytes) return false;
    this.#client.send(text);
    return true;
  }

  onFrame(listener: (text: string) => void): void {
    // CloudHub reads and writes text frames; a binary frame with JSON in it counts as well.
    this.#client.on('message', (data: Buffer) => listener(data.toString('utf8')));
  }

  async close(graceMs: number): Promise<void> {
    this.#end ??= { reason: 'Left', message: 'The session was left', isPermanent: false };
    const cut = setTimeout(() => this.#client.terminate(), graceMs);
    this.#client.close(1000);
    await this.ended;
    clearTimeout(cut);
  }
}
