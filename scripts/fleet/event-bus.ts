import { Socket } from 'node:net';
import { connectAsync, type MqttClient } from 'mqtt';
import { Twins } from '../../test/standins/edgecore/twins.ts';

/**
 * STAND-IN for the event buses of all edgecores, on one broker. On real boards each has a broker of its own; here the one
 * broker also shows what a fleet would be to a shared one.
 */
export class EventBus {
  readonly #client: MqttClient;
  readonly #twins = new Map<string, Twins>();
  /** Last values that edgecore would have passed on, by node. */
  readonly told = new Map<string, Map<string, string>>();
  /** Messages that the edgecores would send to the cloud: one write of a Device object each. */
  deviceWrites = 0;

  private constructor(client: MqttClient) {
    this.#client = client;
  }

  static async start(url: string): Promise<EventBus> {
    const client = await connectAsync(url, { clientId: 'event-buses', reconnectPeriod: 0, keepalive: 0 });
    if (client.stream instanceof Socket) client.stream.setNoDelay(true);
    const bus = new EventBus(client);
    client.on('message', (topic, bytes) => bus.#take(topic, bytes.toString()));
    await client.subscribeAsync(['$hw/events/node/+/membership/get', '$hw/events/device/+/+/twin/update'], {
      qos: 1,
    });
    return bus;
  }

  /** A node whose Device `default/<node>-agent` exists. */
  addNode(node: string): void {
    const twins = new Twins(node, 22);
    const id = `default/${node}-agent`;
    twins.updateMembership({ added_devices: [{ id, name: `${node}-agent` }], removed_devices: null });
    this.#twins.set(node, twins);
    this.told.set(node, new Map());
  }

  async stop(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #take(topic: string, text: string): void {
    const node = /^\$hw\/events\/(?:node\/([^/]+)|device\/default\/(.+)-agent)\//.exec(topic);
    const name = node?.[1] ?? node?.[2] ?? '';
    for (const effect of this.#twins.get(name)?.receive(topic, text) ?? []) {
      if (effect.to === 'bus') this.#client.publish(effect.topic, JSON.stringify(effect.payload), { qos: 1 });
      else this.deviceWrites += 1;
    }
    if (topic.endsWith('/twin/update')) this.#remember(name, text);
  }

  #remember(node: string, text: string): void {
    const { twin } = JSON.parse(text) as { twin: Record<string, { actual: { value: string } }> };
    const told = this.told.get(node);
    for (const [property, { actual }] of Object.entries(twin)) told?.set(property, actual.value);
  }
}
