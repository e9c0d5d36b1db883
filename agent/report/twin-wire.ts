import type { BrokerMessage } from '../core/link.ts';

/** Prefix that edgecore searches in a topic for the device's id. */
const devicePrefix = '$hw/events/device/';

/** Where edgecore answers a twin update that it cannot read: a topic with an empty device id. */
export const nobodyTopic = `${devicePrefix}/twin/update/result`;

/** Topics about the devices of a node. */
export function membershipTopics(node: string): {
  readonly get: string;
  readonly result: string;
  readonly updated: string;
} {
  const base = `$hw/events/node/${node}/membership`;
  return { get: `${base}/get`, result: `${base}/get/result`, updated: `${base}/updated` };
}

/** Topics of one device; its id is `<name>` up to 1.15 and `<namespace>/<name>` from 1.16 on. */
export function twinTopics(deviceId: string): { readonly update: string; readonly result: string } {
  return {
    update: `${devicePrefix}${deviceId}/twin/update`,
    result: `${devicePrefix}${deviceId}/twin/update/result`,
  };
}

/**
 * Reports whether edgecore could find a device of this id in its topics. It cuts the id out at its first occurrence in
 * the whole topic, so an id that also occurs in the prefix is cut at the wrong place
 * (kubeedge/kubeedge edge/pkg/devicetwin/process.go, 1.12 to 1.22).
 */
export function isUsableId(deviceId: string): boolean {
  return !deviceId.split('/').some((part) => part === '' || devicePrefix.includes(part));
}

/** Payload of a twin update with these values. */
export function encodeUpdate(
  eventId: string,
  timestamp: number,
  values: ReadonlyMap<string, string>,
): string {
  const twin = Object.fromEntries(
    [...values].map(([name, value]) => [name, { actual: { value }, metadata: { type: 'string' } }]),
  );
  return JSON.stringify({ event_id: eventId, timestamp, twin });
}

/** Answer to a twin update: taken, or why not. */
export interface UpdateResult {
  /** Empty where edgecore could not read the update. */
  readonly eventId: string;
  readonly code: number;
  readonly reason: string;
}

/** Reads an answer; undefined where it is none. Success carries no code. */
export function decodeResult(payload: string): UpdateResult | undefined {
  const value = objectOf(payload);
  if (value === undefined) return undefined;
  const { event_id: eventId, code, reason } = value;
  return {
    eventId: typeof eventId === 'string' ? eventId : '',
    code: typeof code === 'number' ? code : 200,
    reason: typeof reason === 'string' ? reason.slice(0, 200) : '',
  };
}

/** Ids of the devices in an answer to membership/get; undefined where it is not the answer to this event. */
export function decodeMembership(payload: string, eventId: string): readonly string[] | undefined {
  const value = objectOf(payload);
  if (value === undefined || value['event_id'] !== eventId) return undefined;
  const devices = value['devices'];
  if (!Array.isArray(devices)) return [];
  return devices.flatMap((device: unknown) => {
    const id = typeof device === 'object' && device !== null && 'id' in device ? device.id : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}

/** The agent's own device among those of the node: the one of the wanted namespace before any other. */
export function findDevice(ids: readonly string[], name: string, namespace: string): string | undefined {
  const wanted = [`${namespace}/${name}`, name];
  return wanted.find((id) => ids.includes(id)) ?? ids.find((id) => id.endsWith(`/${name}`));
}

/** Question for the devices of a node. */
export function membershipQuestion(node: string, eventId: string): BrokerMessage {
  return { topic: membershipTopics(node).get, payload: JSON.stringify({ event_id: eventId }) };
}

function objectOf(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
