import { randomUUID } from 'node:crypto';
import { contentOf, type Message, newMessage } from '../message.ts';
import { isObject, type Json } from './merge.ts';
import type { Profile } from './profile.ts';
import type { KubeStore } from './store.ts';

/** One Device object as the cloud sees it. */
export interface Device {
  readonly namespace: string;
  readonly name: string;
  readonly nodeName: string;
  /** Properties declared in its spec; reports of others are dropped. */
  readonly properties: readonly string[];
  /** Reported values by property. */
  readonly reported: Record<string, string>;
  state?: string;
}

/**
 * Device side of cloudcore: tells a connected node of a Device once, takes twin and state reports
 * (kubeedge/kubeedge cloud/pkg/devicecontroller/controller, v1.12.6 and v1.22.1).
 */
export class Devices {
  readonly #profile: Profile;
  readonly #store: KubeStore;
  readonly #send: (nodeId: string, message: Message) => boolean;
  readonly #devices = new Map<string, Device>();

  constructor(profile: Profile, store: KubeStore, send: (nodeId: string, message: Message) => boolean) {
    this.#profile = profile;
    this.#store = store;
    this.#send = send;
  }

  /** Id of a device on the wire: with namespace from 1.16 on. */
  idOf(device: { readonly namespace: string; readonly name: string }): string {
    return this.#profile.hasDeviceNamespace ? `${device.namespace}/${device.name}` : device.name;
  }

  /** Creates a Device; its node learns of it only if it is connected now, as with cloudcore. */
  add(device: Omit<Device, 'reported' | 'state'>): void {
    const id = this.idOf(device);
    this.#devices.set(id, { ...device, reported: {} });
    const added = [{ id, name: device.name, description: '', state: 'unknown' }];
    const route = { source: 'devicecontroller', group: 'twin', operation: 'update', resource: 'membership' };
    const content = {
      event_id: randomUUID(),
      timestamp: Date.now(),
      added_devices: added,
      removed_devices: null,
    };
    this.#send(device.nodeName, newMessage(route, content));
    this.#store.touch();
  }

  /** A device by its id on the wire. */
  get(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  /** All devices. */
  list(): readonly Device[] {
    return [...this.#devices.values()];
  }

  /** Takes a message of source `twin`. */
  take(nodeId: string, message: Message): void {
    const resource = message.route.resource ?? '';
    const match = /^device\/(.+)\/(twin\/edge_updated|state\/update)$/.exec(resource);
    const device = match?.[1] === undefined ? undefined : this.#devices.get(match[1]);
    const content = contentOf(message);
    if (device === undefined || !isObject(content)) return;
    if (match?.[2] === 'state/update') takeState(device, content);
    else takeTwins(device, content, this.#profile.hasDeviceNamespace);
    const route = { source: 'devicecontroller', group: 'twin', operation: 'response', resource: 'twin' };
    this.#send(nodeId, newMessage(route, 'OK', { parentId: message.header.msg_id }));
  }
}

function takeState(device: Device, content: Json): void {
  const inner = content['device'];
  if (isObject(inner) && typeof inner['state'] === 'string') device.state = inner['state'];
}

/** From 1.16 on the first report of a property only creates its entry, with an empty value. */
function takeTwins(device: Device, content: Json, isFirstLost: boolean): void {
  const twins = isObject(content['twin']) ? content['twin'] : {};
  for (const [name, twin] of Object.entries(twins)) {
    const actual = isObject(twin) ? twin['actual'] : undefined;
    const value = isObject(actual) ? actual['value'] : undefined;
    if (!device.properties.includes(name) || typeof value !== 'string') continue;
    device.reported[name] = name in device.reported || !isFirstLost ? value : '';
  }
}
