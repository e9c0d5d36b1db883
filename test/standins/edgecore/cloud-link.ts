import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage, type Message, newMessage } from '../message.ts';
import type { Certificates } from './enrolment.ts';

/** Where and as whom to connect. */
export interface LinkTarget {
  readonly server: string;
  readonly projectId: string;
  readonly nodeId: string;
  readonly certificates: Certificates;
  /** Sends the issuer too, which an enforcing cloudcore refuses. @default false */
  readonly sendsChain?: boolean;
  /** @default 'msg' */
  readonly connectionUse?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * One WebSocket to CloudHub as edgecore makes it. Node would append the authority to the client chain if it were given
 * as `ca`, so the server's certificate is checked by hand.
 */
export class CloudLink {
  readonly #socket: WebSocket;
  readonly #events = new EventEmitter();
  readonly #waiting = new Map<string, (message: Message) => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#receive(decodeMessage(data.toString())));
    socket.on('close', (code: number) => this.#events.emit('close', code));
    socket.on('error', () => {});
  }

  /** Connects; rejects where TLS or the upgrade fails. */
  static async connect(target: LinkTarget): Promise<CloudLink> {
    const { certificates, nodeId, projectId, server } = target;
    const { caPem, certPem, keyPem } = certificates;
    const socket = new WebSocket(`wss://${server}/${projectId}/${nodeId}/events`, {
      headers: {
        node_id: nodeId,
        project_id: projectId,
        ConnectionUse: target.connectionUse ?? 'msg',
        ...(target.headers as Record<string, string> | undefined),
      },
      cert: target.sendsChain === true ? `${certPem}${caPem}` : certPem,
      key: keyPem,
      rejectUnauthorized: false,
      perMessageDeflate: false,
    });
    socket.once('upgrade', ({ socket: tls }) => {
      const problem = serverProblem(
        tls as TLSSocket,
        caPem,
        new URL(`wss://${server}`).hostname.replace(/^\[|\]$/g, ''),
      );
      if (problem !== undefined) socket.emit('error', new Error(problem));
    });
    const link = new CloudLink(socket);
    try {
      await once(socket, 'open');
    } catch (error) {
      socket.terminate();
      throw error;
    }
    return link;
  }

  /** Sends and does not wait. */
  send(message: Message): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeMessage(message));
  }

  /** Sends and resolves with the message that names it as parent. */
  async ask(message: Message, signal: AbortSignal): Promise<Message> {
    return new Promise<Message>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      this.#waiting.set(message.header.msg_id, resolve);
      this.send(message);
    });
  }

  /** Sends edgecore's keepalive. */
  keepAlive(): void {
    const route = { source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' };
    this.send(newMessage(route, 'ping'));
  }

  /** Acknowledges a message of the cloud. */
  acknowledge(message: Message): void {
    const { resource = '', source = '' } = message.route;
    const route = { source, group: 'resource', operation: 'response', resource };
    this.send(newMessage(route, 'OK', { parentId: message.header.msg_id }));
  }

  /** Calls back for each message that is no answer. */
  onMessage(listener: (message: Message) => void): void {
    this.#events.on('message', listener);
  }

  /** Resolves with the close code when the link is gone. */
  async closed(): Promise<number> {
    if (this.#socket.readyState === this.#socket.CLOSED) return 1006;
    const [code] = (await once(this.#events, 'close')) as [number];
    return code;
  }

  /** Drops the connection without a closing frame. */
  end(): void {
    this.#socket.terminate();
  }

  #receive(message: Message | undefined): void {
    if (message === undefined) return;
    const parentId = message.header.parent_msg_id;
    const waiting = parentId === undefined ? undefined : this.#waiting.get(parentId);
    if (waiting !== undefined && parentId !== undefined) {
      this.#waiting.delete(parentId);
      waiting(message);
    } else this.#events.emit('message', message);
  }
}

function serverProblem(tls: TLSSocket, caPem: string, host: string): string | undefined {
  const peer = tls.getPeerX509Certificate();
  if (peer?.verify(new X509Certificate(caPem).publicKey) !== true) {
    return 'x509: certificate signed by unknown authority';
  }
  const now = Date.now();
  if (Date.parse(peer.validTo) < now || Date.parse(peer.validFrom) > now) {
    return 'x509: certificate has expired or is not yet valid';
  }
  const isNamed = (isIP(host) === 0 ? peer.checkHost(host) : peer.checkIP(host)) !== undefined;
  return isNamed ? undefined : `x509: certificate is valid for other names, not ${host}`;
}
