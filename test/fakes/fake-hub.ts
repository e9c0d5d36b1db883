import {
  type FrameLink,
  type FrameSession,
  type FrameTarget,
  type LinkEnd,
  LinkError,
} from '../../agent/core/link.ts';
import { profileOf } from '../standins/cloudhub/profile.ts';
import { conditionOf, KubeStore } from '../standins/cloudhub/store.ts';
import { answerUpstream } from '../standins/cloudhub/upstream.ts';
import { decodeMessage, encodeMessage, type Message, newMessage } from '../standins/message.ts';

const cut: LinkEnd = { reason: 'Closed', message: 'closed the session (1006)', isPermanent: false };

class FakeFrames implements FrameSession {
  readonly ended: Promise<LinkEnd>;
  readonly nodeId: string;
  readonly listeners: ((text: string) => void)[] = [];
  readonly #hub: FakeHub;
  #finish: (end: LinkEnd) => void = () => undefined;

  constructor(hub: FakeHub, nodeId: string) {
    this.#hub = hub;
    this.nodeId = nodeId;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  send(text: string): boolean {
    if (!this.#hub.sessions.has(this)) return false;
    queueMicrotask(() => this.#hub.take(this, text));
    return true;
  }

  onFrame(listener: (text: string) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.end(cut);
  }

  end(end: LinkEnd): void {
    this.#hub.sessions.delete(this);
    this.#finish(end);
  }
}

/** Options of a hub. */
export interface FakeHubOptions {
  /** @default '1.22.1' */
  readonly version?: string;
  /** Whether only the node's own session is heard, as with cloudHub.authorization. @default false */
  readonly isEnforced?: boolean;
}

/** CloudHub in memory: sessions by node id, and the stand-in's table of answers over a Node object `board-1`. */
export class FakeHub implements FrameLink {
  readonly store = new KubeStore();
  readonly sessions = new Set<FakeFrames>();
  /** Everything received but keepalives. */
  readonly received: { readonly nodeId: string; readonly message: Message }[] = [];
  /** Node ids of all sessions ever opened, in order. */
  readonly opened: string[] = [];
  /** Times that a session threw out another one of the same id. */
  evictions = 0;
  keepalives = 0;
  bytes = 0;
  isUp = true;
  /** How every opening ends while it is not up. */
  refusal: LinkEnd = { reason: 'Unreachable', message: 'ECONNREFUSED', isPermanent: false };
  isMute = false;
  isEnforced: boolean;
  readonly #version: string;

  constructor(options: FakeHubOptions = {}) {
    this.#version = options.version ?? '1.22.1';
    this.isEnforced = options.isEnforced ?? false;
    this.register();
  }

  register(): void {
    const Ready = { type: 'Ready', status: 'True' };
    this.store.put('node', { namespace: '', name: 'board-1' }, { status: { conditions: [Ready] } });
  }

  async open(target: FrameTarget, signal: AbortSignal): Promise<FrameSession> {
    await Promise.resolve();
    signal.throwIfAborted();
    const nodeId = target.headers['node_id'] ?? '';
    this.opened.push(nodeId);
    if (!this.isUp) throw new LinkError(this.refusal);
    return this.join(nodeId);
  }

  /** Opens a session, as edgecore does with the node's own id. */
  join(nodeId: string): FakeFrames {
    for (const other of this.sessions) {
      if (other.nodeId !== nodeId) continue;
      this.evictions += 1;
      other.end(cut);
    }
    const session = new FakeFrames(this, nodeId);
    this.sessions.add(session);
    return session;
  }

  goDown(): void {
    this.isUp = false;
    for (const session of this.sessions) session.end(cut);
  }

  /** Sends a frame to every session. */
  broadcast(text: string): void {
    for (const session of this.sessions) for (const listener of session.listeners) listener(text);
  }

  take(session: FakeFrames, text: string): void {
    this.bytes += text.length;
    const message = decodeMessage(text);
    if (message === undefined) throw new Error(`no message: ${text}`);
    if (message.route.operation === 'keepalive') {
      this.keepalives += 1;
      return;
    }
    this.received.push({ nodeId: session.nodeId, message });
    if (this.isEnforced && session.nodeId !== 'board-1') return;
    const { store } = this;
    const profile = profileOf(this.#version);
    const cloud = {
      store,
      profile,
      nodeId: session.nodeId,
      isEnforced: this.isEnforced,
      deletePod: () => undefined,
    };
    const reply = answerUpstream(message, cloud);
    if (reply === undefined || this.isMute) return;
    const route = { source: 'edgecontroller', group: 'resource', operation: 'response', ...message.route };
    const answer = newMessage({ ...route, operation: 'response' }, reply.content, {
      parentId: message.header.msg_id,
    });
    for (const listener of session.listeners) listener(encodeMessage(answer));
  }

  /** One condition of the Node as `status reason`; undefined where there is none. */
  condition(type: string): string | undefined {
    const found = conditionOf(this.store.get('node', { namespace: '', name: 'board-1' }), type);
    return found === undefined ? undefined : `${String(found['status'])} ${String(found['reason'])}`;
  }
}
