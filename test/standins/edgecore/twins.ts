import { randomUUID } from 'node:crypto';

type Json = Record<string, unknown>;

/** What the twin module wants done: a message on the bus, or one to the cloud. */
export type TwinEffect =
  | { readonly to: 'bus'; readonly topic: string; readonly payload: Json }
  | { readonly to: 'cloud'; readonly resource: string; readonly content: Json };

interface Twin {
  value: string;
  version: number;
}

interface DeviceRecord {
  readonly id: string;
  readonly name: string;
  state: string;
  readonly twins: Map<string, Twin>;
}

const keyPattern = /^[a-zA-Z0-9\-_.,:/@#]{1,128}$/;
const valuePattern = /^[a-zA-Z0-9\-_.,:/@#]{1,512}$/;

/**
 * Device twins of the edge: membership, twin update and get, state
 * (kubeedge/kubeedge edge/pkg/devicetwin/dtmanager, v1.12.6 and v1.22.1). Pure: it returns what is to be sent.
 */
export class Twins {
  readonly #nodeName: string;
  readonly #minor: number;
  readonly #devices = new Map<string, DeviceRecord>();

  constructor(nodeName: string, minor: number) {
    this.#nodeName = nodeName;
    this.#minor = minor;
  }

  /** Takes the cloud's message `membership`. */
  updateMembership(content: unknown): readonly TwinEffect[] {
    const { added_devices: added, removed_devices: removed } = content as {
      added_devices?: readonly { id: string; name: string }[] | null;
      removed_devices?: readonly { id: string }[] | null;
    };
    for (const { id, name } of added ?? [])
      this.#devices.set(id, { id, name, state: 'unknown', twins: new Map() });
    for (const { id } of removed ?? []) this.#devices.delete(id);
    const payload = {
      event_id: '',
      timestamp: Date.now(),
      added_devices: added ?? [],
      removed_devices: removed ?? [],
    };
    return [{ to: 'bus', topic: `$hw/events/node/${this.#nodeName}/membership/updated`, payload }];
  }

  /** Takes a message of the bus; unknown topics give nothing. */
  receive(topic: string, text: string): readonly TwinEffect[] {
    if (topic === `$hw/events/node/${this.#nodeName}/membership/get`) return this.#membership(topic, text);
    const depth = this.#minor >= 16 ? '[^/]+/[^/]+' : '[^/]+';
    const match = new RegExp(`^\\$hw/events/device/(${depth})/(twin/update|twin/get|state/update)$`).exec(
      topic,
    );
    const [, id, act] = match ?? [];
    if (id === undefined) return [];
    if (act === 'state/update') return this.#state(id, text);
    const content = parse(text);
    if (content === undefined)
      return [result('', 'update', { event_id: '', ...failure(400, 'bad request') })];
    const device = this.#devices.get(id);
    const eventId = eventIdOf(content);
    if (device === undefined) {
      const reason = `${act === 'twin/get' ? 'get' : 'update'} rejected due to the device is not existed`;
      return [
        result(id, act === 'twin/get' ? 'get' : 'update', { event_id: eventId, ...failure(404, reason) }),
      ];
    }
    return act === 'twin/get' ? [result(id, 'get', twinsOf(device, eventId))] : update(device, content);
  }

  #membership(topic: string, text: string): readonly TwinEffect[] {
    const devices = [...this.#devices.values()].map(({ id, name, state }) => ({
      id,
      name,
      description: '',
      state,
    }));
    const payload = { event_id: parse(text)?.['event_id'] ?? '', timestamp: Date.now(), devices };
    return [{ to: 'bus', topic: `${topic}/result`, payload }];
  }

  /** An unknown device or word gets no answer at all; the answer's event id is a new one. */
  #state(id: string, text: string): readonly TwinEffect[] {
    const device = this.#devices.get(id);
    const state = parse(text)?.['state'];
    const words = this.#minor >= 18 ? ['unhealthy'] : ['disconnected'];
    const isKnown =
      typeof state === 'string' && ['online', 'offline', 'ok', 'unknown', ...words].includes(state);
    if (device === undefined || !isKnown) return [];
    device.state = state;
    const body = { name: device.name, state, [this.#minor >= 18 ? 'lastOnlineTime' : 'last_online']: '' };
    const payload = { event_id: randomUUID(), timestamp: Date.now(), device: body };
    return [
      { to: 'bus', topic: `$hw/events/device/${id}/state/update/result`, payload },
      { to: 'cloud', resource: `device/${id}/state/update`, content: payload },
    ];
  }
}

type TwinRequest = Record<string, { readonly actual?: { readonly value?: unknown } } | null>;

function update(device: DeviceRecord, content: Json): readonly TwinEffect[] {
  const twins = content['twin'];
  if (typeof twins !== 'object' || twins === null) {
    return [refusal('Update twin error, the update request body not have key:twin')];
  }
  const entries = Object.entries(twins as TwinRequest).map(
    ([key, twin]) => [key, twin?.actual?.value] as const,
  );
  if (!entries.every(([key, value]) => isAllowed(key, value))) {
    return [refusal('The value or key of twin is not valid')];
  }
  const sync: Json = {};
  const document: Json = {};
  for (const [key, value] of entries) {
    if (typeof value === 'string') Object.assign(sync, { [key]: remember(device, { key, value }, document) });
  }
  const base = { event_id: eventIdOf(content), timestamp: Date.now() };
  const topic = `$hw/events/device/${device.id}/twin/update/document`;
  return [
    result(device.id, 'update', { ...base, twin: sync }),
    { to: 'bus', topic, payload: { ...base, twin: document } },
    {
      to: 'cloud',
      resource: `device/${device.id}/twin/edge_updated`,
      content: { event_id: randomUUID(), timestamp: Date.now(), twin: sync },
    },
  ];
}

function isAllowed(key: string, value: unknown): boolean {
  if (!keyPattern.test(key)) return false;
  return value === undefined || (typeof value === 'string' && valuePattern.test(value));
}

/** Stores a value, writes its change into the document and returns the entry of the answer. */
function remember(
  device: DeviceRecord,
  { key, value }: { key: string; value: string },
  document: Json,
): Json {
  const before = device.twins.get(key);
  const version = (before?.version ?? -1) + 1;
  device.twins.set(key, { value, version });
  const actual = { value, metadata: { timestamp: Date.now() } };
  const last = before === undefined ? null : { actual: { value: before.value } };
  document[key] = { last, current: { actual } };
  return {
    actual,
    optional: true,
    metadata: { type: 'string' },
    actual_version: { cloud: 0, edge: version },
  };
}

/** A bad request is answered on the topic with an empty id and without its event id, as edgecore does. */
function refusal(reason: string): TwinEffect {
  return result('', 'update', { event_id: '', ...failure(400, reason) });
}

function eventIdOf(content: Json): string {
  const id = content['event_id'];
  return typeof id === 'string' ? id : '';
}

function twinsOf(device: DeviceRecord, eventId: string): Json {
  const entries = [...device.twins].map(([key, { value }]) => [key, { actual: { value }, optional: true }]);
  return { event_id: eventId, timestamp: Date.now(), twin: Object.fromEntries(entries) };
}

function result(id: string, act: 'update' | 'get', payload: Json): TwinEffect {
  return { to: 'bus', topic: `$hw/events/device/${id}/twin/${act}/result`, payload };
}

function failure(code: number, reason: string): Json {
  return { timestamp: Date.now(), code, reason };
}

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
