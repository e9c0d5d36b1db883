import type { Clock } from '../core/clock.ts';
import { underEither } from '../core/either-signal.ts';
import type { FrameSession, LinkEnd } from '../core/link.ts';
import {
  type CloudMessage,
  type CloudRoute,
  decodeMessage,
  encodeMessage,
  maxFrameLength,
} from './cloud-message.ts';
import { Replies } from './replies.ts';

/** What a session works with. */
export interface CloudSessionOptions {
  readonly frames: FrameSession;
  readonly clock: Clock;
  /** Makes ids that nobody else makes. */
  readonly newId: () => string;
}

/**
 * CloudHub ends a session that was silent for 30 s, and only these count
 * (kubeedge/kubeedge cloud/pkg/cloudhub/session/node_session.go).
 */
const keepaliveMs = 15_000;
const keepalive = {
  source: 'websocket',
  group: 'resource',
  operation: 'keepalive',
  resource: 'node',
} as const;

/**
 * A session with CloudHub that asks and is answered. What the cloud sends by itself is never read and never
 * acknowledged: an acknowledgement would mark objects as delivered that edgecore has never seen.
 */
export class CloudSession {
  readonly #options: CloudSessionOptions;
  readonly #replies: Replies<CloudMessage>;
  readonly #over = new AbortController();
  #stopKeepalive: () => void = () => undefined;

  constructor(options: CloudSessionOptions) {
    this.#options = options;
    this.#replies = new Replies(options.clock);
    options.frames.onFrame((text) => this.#take(text));
    void options.frames.ended.then(() => {
      this.#over.abort();
      this.#stopKeepalive();
    });
    this.#stayAlive();
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  get ended(): Promise<LinkEnd> {
    return this.#options.frames.ended;
  }

  /** Sends a message and forgets it; false where it could not be queued. */
  tell(route: CloudRoute, content: unknown): boolean {
    return this.#options.frames.send(encodeMessage(this.#message(this.#options.newId(), route, content)));
  }

  /** Sends a message and resolves with its answer; undefined where none came in time or the session ended. */
  async ask(
    route: CloudRoute,
    content: unknown,
    { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
  ): Promise<CloudMessage | undefined> {
    const id = this.#options.newId();
    return underEither(signal, this.#over.signal, async (either) => {
      const reply = this.#replies.wait(id, withinMs, either);
      if (!this.#options.frames.send(encodeMessage(this.#message(id, route, content))))
        this.#replies.give(id, undefined);
      return reply;
    });
  }

  /** Ends the session; resolves when the socket is gone. */
  async close(graceMs: number): Promise<void> {
    this.#stopKeepalive();
    await this.#options.frames.close(graceMs);
  }

  #stayAlive(): void {
    if (this.isOver || !this.tell(keepalive, 'ping')) return;
    this.#stopKeepalive = this.#options.clock.after(keepaliveMs, () => this.#stayAlive());
  }

  /** Only a frame that holds an id somebody waits for is parsed: all else may be as large and odd as it likes. */
  #take(text: string): void {
    if (text.length > maxFrameLength) return;
    if (!this.#replies.keys().some((id) => text.includes(id))) return;
    const message = decodeMessage(text);
    const parent = message?.header.parent_msg_id;
    if (message !== undefined && parent !== undefined) this.#replies.give(parent, message);
  }

  #message(id: string, route: CloudRoute, content: unknown): CloudMessage {
    return { header: { msg_id: id, timestamp: this.#options.clock.wallMs() }, route, content };
  }
}
