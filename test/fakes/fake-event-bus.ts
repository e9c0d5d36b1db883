import {
  type BrokerLink,
  type BrokerMessage,
  type BrokerSession,
  type BrokerTarget,
  type LinkEnd,
  LinkError,
} from '../../agent/core/link.ts';
import { Twins } from '../standins/edgecore/twins.ts';

const closed: LinkEnd = { reason: 'Closed', message: 'The broker closed the session', isPermanent: false };

class FakeSession implements BrokerSession {
  readonly ended: Promise<LinkEnd>;
  readonly topics = new Set<string>();
  readonly listeners: ((message: BrokerMessage) => void)[] = [];
  readonly #bus: FakeEventBus;
  #finish: (end: LinkEnd) => void = () => undefined;

  constructor(bus: FakeEventBus) {
    this.#bus = bus;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  async publish(message: BrokerMessage, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#bus.sessions.has(this)) throw new LinkError(closed);
    await Promise.resolve();
    this.#bus.take(message);
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    for (const topic of topics) this.topics.add(topic);
    await Promise.resolve();
  }

  onMessage(listener: (message: BrokerMessage) => void): void {
    this.listeners.push(listener);
  }

  async close(): Promise<void> {
    this.end(closed);
    await Promise.resolve();
  }

  end(end: LinkEnd): void {
    this.#bus.sessions.delete(this);
    this.#finish(end);
  }
}

/**
 * edgecore's event bus in memory, with the twin module of the stand-in behind it. Remembers every message that came
 * in and every one that would go to the cloud.
 */
export class FakeEventBus implements BrokerLink {
  readonly sessions = new Set<FakeSession>();
  readonly published: BrokerMessage[] = [];
  /** What edgecore would send to the cloud, newest last. */
  readonly toCloud: { readonly resource: string; readonly content: unknown }[] = [];
  readonly targets: BrokerTarget[] = [];
  twins: Twins;
  isUp = true;
  /** Whether edgecore hangs: the broker takes messages and nobody answers. */
  isSilent = false;

  constructor(node: string, minor: number) {
    this.twins = new Twins(node, minor);
  }

  async open(target: BrokerTarget): Promise<BrokerSession> {
    this.targets.push(target);
    await Promise.resolve();
    if (!this.isUp) {
      throw new LinkError({ reason: 'Unreachable', message: 'Nobody listens', isPermanent: false });
    }
    const session = new FakeSession(this);
    this.sessions.add(session);
    return session;
  }

  /** The broker goes away with all its sessions, and comes back when `isUp` is set. */
  goDown(): void {
    this.isUp = false;
    for (const session of this.sessions) session.end(closed);
  }

  /** The cloud tells edgecore of a device, as it does when the Device is created while the node is connected. */
  addDevice(id: string): void {
    const added = [{ id, name: id.split('/').at(-1) ?? id }];
    this.#perform(this.twins.updateMembership({ added_devices: added, removed_devices: null }));
  }

  removeDevice(id: string): void {
    this.#perform(this.twins.updateMembership({ added_devices: null, removed_devices: [{ id }] }));
  }

  take(message: BrokerMessage): void {
    this.published.push(message);
    if (!this.isSilent) this.#perform(this.twins.receive(message.topic, message.payload));
  }

  /** Sends a message to every session that asked for its topic. */
  deliver(message: BrokerMessage): void {
    for (const session of this.sessions) {
      if (session.topics.has(message.topic)) for (const listener of session.listeners) listener(message);
    }
  }

  /** Twin updates so far, as maps of values. */
  updates(): ReadonlyMap<string, string>[] {
    return this.published
      .filter(({ topic }) => topic.endsWith('/twin/update'))
      .map(({ payload }) => valuesOf(payload));
  }

  #perform(effects: ReturnType<Twins['receive']>): void {
    for (const effect of effects) {
      if (effect.to === 'bus') this.deliver({ topic: effect.topic, payload: JSON.stringify(effect.payload) });
      else this.toCloud.push({ resource: effect.resource, content: effect.content });
    }
  }
}

/** Values of a twin update by property. */
export function valuesOf(payload: string): ReadonlyMap<string, string> {
  const { twin } = JSON.parse(payload) as { twin: Record<string, { actual: { value: string } }> };
  return new Map(Object.entries(twin).map(([name, { actual }]) => [name, actual.value]));
}
