import { createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { connect } from 'mqtt';
import { klog } from './klog.ts';
import type { Settings } from './settings.ts';

/** A message on the edge's MQTT side. */
export type BusListener = (topic: string, payload: string) => void;

/** The eventbus: one internal broker, one external, or both, by mqttMode. */
export interface Bus {
  publish(topic: string, payload: string): void;
  close(): Promise<void>;
}

/** Topics that edgecore subscribes to at an external broker; `$hw/#` stands for the forms of all releases. */
const subscriptions = [
  '$hw/events/upload/#',
  '$hw/events/device/#',
  '$hw/events/node/+/membership/get',
  'SYS/dis/upload_records',
  '+/user/#',
];

/** Starts the eventbus; rejects where the internal broker's port is busy, which ends edgecore with code 1. */
export async function startBus(settings: Settings['eventBus'], listener: BusListener): Promise<Bus> {
  const parts: Bus[] = [];
  if (settings.mode <= 1) parts.push(await internalBroker(settings.internal, listener));
  if (settings.mode >= 1) parts.push(externalBroker(settings.external, listener));
  return {
    publish: (topic, payload) => {
      for (const part of parts) part.publish(topic, payload);
    },
    close: async () => {
      await Promise.all(parts.map((part) => part.close()));
    },
  };
}

async function internalBroker(url: string, listener: BusListener): Promise<Bus> {
  const { hostname, port } = new URL(url);
  const broker = await Aedes.createBroker();
  broker.on('publish', (packet, client) => {
    if (client !== null) listener(packet.topic, packet.payload.toString());
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), hostname, resolve);
  });
  return {
    publish: (topic, payload) => {
      broker.publish({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }, () => {});
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => broker.close(() => resolve()));
      });
    },
  };
}

function externalBroker(url: string, listener: BusListener): Bus {
  const client = connect(url, {
    clientId: `hub-client-sub-${Date.now()}`,
    reconnectPeriod: 5000,
    clean: true,
  });
  client.on('error', (error) => klog('E', 'client.go:131', `client disconnected: ${error.message}`));
  client.on('connect', () => {
    klog('I', 'client.go:135', `finish hub-client sub`);
    client.subscribe([...subscriptions], { qos: 1 });
  });
  client.on('message', (topic, payload) => listener(topic, payload.toString()));
  return {
    publish: (topic, payload) => {
      client.publish(topic, payload, { qos: 1 });
    },
    close: async () => {
      await client.endAsync(true);
    },
  };
}
