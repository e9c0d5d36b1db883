import { Socket } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import type {
  BrokerLink,
  BrokerMessage,
  BrokerSession,
  BrokerTarget,
  LinkEnd,
} from '../../agent/core/link.ts';
import { Twins } from '../standins/edgecore/twins.ts';
import { encodeMessage, newMessage } from '../standins/message.ts';

/** edgecore's twin module behind a real broker: answers as edgecore does and counts what would go to the cloud. */
export class EdgeBroker {
  readonly #url: string;
  readonly #twins: Twins;
  #client: MqttClient | undefined;
  /** Writes that cloudcore would make to the Device object. */
  deviceWrites = 0;
  /** Bytes of the messages that edgecore would send to the cloud for them. */
  cloudBytes = 0;
  /** Messages on topics of the router, in order of arrival. */
  readonly routed: BrokerMessage[] = [];

  constructor(url: string, node: string, minor: number) {
    this.#url = url;
    this.#twins = new Twins(node, minor);
  }

  /** Connects, also after the broker was away. */
  async start(): Promise<void> {
    const client = await connectAsync(this.#url, { clientId: 'hub-client-sub', reconnectPeriod: 0 });
    this.#client = client;
    // Two answers follow each other at once; the second must not wait for the acknowledgement of the first.
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    client.on('message', (topic, bytes) => this.#take(topic, bytes.toString()));
    await client.subscribeAsync(['$hw/events/#', 'default/#'], { qos: 1 });
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true);
  }

  addDevice(id: string): void {
    const name = id.split('/').at(-1) ?? id;
    this.#perform(this.#twins.updateMembership({ added_devices: [{ id, name }], removed_devices: null }));
  }

  #take(topic: string, text: string): void {
    if (topic.startsWith('default/')) this.routed.push({ topic, payload: text });
    else this.#perform(this.#twins.receive(topic, text));
  }

  #perform(effects: ReturnType<Twins['receive']>): void {
    for (const effect of effects) {
      if (effect.to === 'cloud') {
        const route = { source: 'twin', group: 'resource', operation: 'update', resource: effect.resource };
        this.deviceWrites += 1;
        this.cloudBytes += encodeMessage(newMessage(route, effect.content)).length;
      } else this.#client?.publish(effect.topic, JSON.stringify(effect.payload), { qos: 1 });
    }
  }
}

/** Overhead of one MQTT publish besides topic and payload: fixed header, lengths, packet id, and its acknowledgement. */
const publishBytes = 12;

/** A broker link that counts, and knows when nothing is under way, so that a fast clock can wait for real sockets. */
export class CountingLink implements BrokerLink {
  readonly #inner: BrokerLink;
  readonly #sessions = new Set<{ pending: number; asked: number }>();
  #opening = 0;
  messages = 0;
  bytes = 0;

  constructor(inner: BrokerLink) {
    this.#inner = inner;
  }

  get isIdle(): boolean {
    return (
      this.#opening === 0 && [...this.#sessions].every(({ pending, asked }) => pending === 0 && asked === 0)
    );
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  async open(target: BrokerTarget, signal: AbortSignal): Promise<BrokerSession> {
    this.#opening += 1;
    try {
      return this.#wrap(await this.#inner.open(target, signal));
    } finally {
      this.#opening -= 1;
    }
  }

  #wrap(session: BrokerSession): BrokerSession {
    const state = { pending: 0, asked: 0 };
    this.#sessions.add(state);
    const ended: Promise<LinkEnd> = session.ended.then((end) => {
      this.#sessions.delete(state);
      return end;
    });
    const during = async (act: Promise<void>): Promise<void> => {
      state.pending += 1;
      try {
        await act;
      } finally {
        state.pending -= 1;
      }
    };
    session.onMessage(({ topic }) => {
      if (topic.endsWith('/result')) state.asked -= 1;
    });
    return {
      ended,
      publish: (message, signal) => {
        this.messages += 1;
        this.bytes += Buffer.byteLength(message.topic) + Buffer.byteLength(message.payload) + publishBytes;
        if (/\/twin\/update$|\/membership\/get$/.test(message.topic)) state.asked += 1;
        return during(session.publish(message, signal));
      },
      subscribe: (topics, signal) => during(session.subscribe(topics, signal)),
      onMessage: (listener) => session.onMessage(listener),
      close: () => session.close(),
    };
  }
}
