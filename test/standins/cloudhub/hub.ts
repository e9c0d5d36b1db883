import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import { decodeMessage, encodeMessage, type Message, newMessage } from '../message.ts';
import type { Faults } from './faults.ts';
import { Session, type SessionTimes } from './session.ts';

/** What the hub does with a message that is neither keepalive nor acknowledgement. */
export interface HubEvents {
  readonly connected: (session: Session) => void;
  readonly disconnected: (session: Session) => void;
  /** `session` is undefined where the connection was refused but its messages still arrive. */
  readonly message: (message: Message, nodeId: string, session: Session | undefined) => void;
  readonly acknowledged: (session: Session, message: Message) => void;
  readonly log: (line: string) => void;
}

/** Options of the hub. */
export interface HubOptions {
  readonly times: SessionTimes;
  readonly nodeLimit: number;
  /** cloudHub.authorization with debug off: a node may only speak for itself. */
  readonly isEnforced: boolean;
  readonly faults: () => Faults;
  readonly events: HubEvents;
}

const controlOperations = ['config', 'ping', 'pong'];

/**
 * WebSocket side of CloudHub: sessions by node id, the newest wins
 * (kubeedge/kubeedge cloud/pkg/cloudhub/handler/message_handler.go and pkg/viaduct, v1.22.1).
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  readonly #sessions = new Map<string, Session>();

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Session of a node, or undefined where it is not connected. */
  session(nodeId: string): Session | undefined {
    return this.#sessions.get(nodeId);
  }

  /** Node ids that are connected now. */
  nodes(): readonly string[] {
    return [...this.#sessions.keys()].sort();
  }

  /** Takes an HTTP upgrade, as the `upgrade` event of an HTTPS server gives it. */
  upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    const { hub } = this.#options.faults();
    if (hub === 'hang') return;
    if (hub === 'busy') {
      socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const origin = request.headers.origin;
    if (origin !== undefined && new URL(origin).host !== request.headers.host) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.#accept(request, socket, webSocket),
    );
  }

  /** Closes every session. */
  close(): void {
    for (const session of this.#sessions.values()) session.end();
    for (const client of this.#server.clients) client.terminate();
  }

  #accept(request: IncomingMessage, socket: TLSSocket, webSocket: WebSocket): void {
    const nodeId = first(request, 'node_id');
    const projectId = first(request, 'project_id');
    const refusal = this.#refusal(nodeId, socket);
    const session = new Session({ nodeId, projectId }, webSocket, this.#options.times);
    webSocket.on('error', () => session.end());
    if (refusal === undefined) this.#open(session, webSocket);
    else
      this.#options.events.log(`The connection is rejected by CloudHub: node="${nodeId}", error=${refusal}`);
    if (first(request, 'connectionuse') !== 'msg') return;
    const serving = refusal === undefined ? session : undefined;
    webSocket.on('message', (data: Buffer) => this.#receive(data, nodeId, { session: serving, webSocket }));
  }

  /** Why a connection is not served; it stays open all the same, as it does at cloudcore. */
  #refusal(nodeId: string, socket: TLSSocket): string | undefined {
    if (this.#options.isEnforced) {
      const peer = socket.getPeerX509Certificate();
      if (peer === undefined) return 'no client certificate provided';
      if (peer.issuerCertificate !== undefined) return 'immediate certificates are not supported';
      if (!peer.subject.split('\n').includes(`CN=system:node:${nodeId}`)) {
        return "common name of peer certificate didn't match node ID";
      }
    }
    if (!this.#sessions.has(nodeId) && this.#sessions.size >= this.#options.nodeLimit)
      return 'reach node limit';
    return undefined;
  }

  #open(session: Session, webSocket: WebSocket): void {
    const older = this.#sessions.get(session.nodeId);
    this.#sessions.set(session.nodeId, session);
    older?.end();
    webSocket.on('close', () => {
      session.end();
      if (this.#sessions.get(session.nodeId) === session) this.#sessions.delete(session.nodeId);
      this.#options.events.disconnected(session);
    });
    session.start();
    this.#options.events.connected(session);
  }

  #receive(data: Buffer, nodeId: string, from: { session: Session | undefined; webSocket: WebSocket }): void {
    const { events, faults } = this.#options;
    const message = decodeMessage(data.toString());
    if (message === undefined) {
      events.log(`failed to read message of ${nodeId}`);
      from.webSocket.terminate();
      return;
    }
    const operation = message.route.operation ?? '';
    if (controlOperations.includes(operation)) {
      const route = { ...message.route, operation: 'response' };
      from.webSocket.send(encodeMessage(newMessage(route, 'ack', { parentId: message.header.msg_id })));
    } else if (operation === 'keepalive') {
      from.session?.keepAlive();
      if (faults().hub === 'drop') from.session?.end();
    } else if (!this.#acknowledge(message, from.session)) events.message(message, nodeId, from.session);
  }

  /** Reports whether the message was the acknowledgement of one that the session waits for. */
  #acknowledge(message: Message, session: Session | undefined): boolean {
    const parentId = message.header.parent_msg_id;
    if (message.route.operation !== 'response' || parentId === undefined) return false;
    const acknowledged = session?.acknowledge(parentId);
    if (session === undefined || acknowledged === undefined) return false;
    this.#options.events.acknowledged(session, acknowledged);
    return true;
  }
}

/** First value of a header, as Go's Get gives it: edgecore adds the same header once more with each dial that fails. */
function first(request: IncomingMessage, name: string): string {
  return request.headersDistinct[name]?.[0] ?? '';
}
