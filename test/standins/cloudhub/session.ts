import type { WebSocket } from 'ws';
import { encodeMessage, type Message } from '../message.ts';

/** Times of a session, in milliseconds; a test shortens them. */
export interface SessionTimes {
  /** A session without a keepalive for so long is closed. cloudcore: 30 000 */
  readonly keepaliveMs: number;
  /** Time until an unacknowledged message is sent again, four times. cloudcore: 5 000 */
  readonly resendMs: number;
}

/** Times of cloudcore (kubeedge/kubeedge cloud/pkg/cloudhub/session/node_session.go, v1.22.1). */
export const cloudcoreTimes: SessionTimes = { keepaliveMs: 30_000, resendMs: 5_000 };

interface Pending {
  readonly message: Message;
  readonly timer: NodeJS.Timeout;
}

/** One connected edge node: keepalive watch, and messages that wait for their acknowledgement. */
export class Session {
  readonly nodeId: string;
  readonly projectId: string;
  readonly #socket: WebSocket;
  readonly #times: SessionTimes;
  readonly #pending = new Map<string, Pending>();
  #watch: NodeJS.Timeout | undefined;
  keepalives = 0;

  constructor(ids: { nodeId: string; projectId: string }, socket: WebSocket, times: SessionTimes) {
    this.nodeId = ids.nodeId;
    this.projectId = ids.projectId;
    this.#socket = socket;
    this.#times = times;
  }

  /** Begins to wait for keepalives; only they count, other traffic does not. */
  start(): void {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => this.end(), this.#times.keepaliveMs);
  }

  /** A keepalive arrived. */
  keepAlive(): void {
    this.keepalives += 1;
    this.start();
  }

  /** Sends without waiting for an acknowledgement. */
  send(message: Message): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(encodeMessage(message));
  }

  /** Sends, and again until acknowledged or tried five times. */
  sendReliably(message: Message, triesLeft = 4): void {
    this.send(message);
    const timer = setTimeout(() => {
      this.#pending.delete(message.header.msg_id);
      if (triesLeft > 0) this.sendReliably(message, triesLeft - 1);
    }, this.#times.resendMs);
    this.#pending.set(message.header.msg_id, { message, timer });
  }

  /** Takes an acknowledgement; returns the message that it is for, or undefined where nobody waits. */
  acknowledge(parentId: string): Message | undefined {
    const pending = this.#pending.get(parentId);
    if (pending === undefined) return undefined;
    clearTimeout(pending.timer);
    this.#pending.delete(parentId);
    return pending.message;
  }

  /** Closes the TCP connection without a closing frame, as cloudcore does; the edge sees code 1006. */
  end(): void {
    clearTimeout(this.#watch);
    for (const { timer } of this.#pending.values()) clearTimeout(timer);
    this.#pending.clear();
    this.#socket.terminate();
  }
}
