/** Where a message comes from and what it is about. */
export interface CloudRoute {
  readonly source?: string;
  readonly destination?: string;
  readonly group?: string;
  readonly operation?: string;
  readonly resource?: string;
}

/** Who wrote a message, when, and in answer to what. */
export interface CloudHeader {
  readonly msg_id: string;
  readonly parent_msg_id?: string;
  readonly timestamp: number;
  readonly resourceversion?: string;
  readonly sync?: boolean;
  readonly type?: string;
}

/**
 * One message between an edge and CloudHub: plain JSON in a text frame, in all releases from 1.10 to 1.23
 * (kubeedge/kubeedge staging/src/github.com/kubeedge/beehive/pkg/core/model/message.go).
 */
export interface CloudMessage {
  readonly header: CloudHeader;
  readonly route: CloudRoute;
  readonly content: unknown;
}

/** Longest frame that is read, in characters. The answer to a node patch is a Node object: tens of kilobytes. */
export const maxFrameLength = 1_048_576;

const headerTexts = ['parent_msg_id', 'resourceversion', 'type'] as const;
const routeTexts = ['source', 'destination', 'group', 'operation', 'resource'] as const;

/** Text of a frame. */
export function encodeMessage(message: CloudMessage): string {
  return JSON.stringify(message);
}

/** Message of a frame; undefined where it is too long, no JSON, or no message. Never throws. */
export function decodeMessage(text: string): CloudMessage | undefined {
  if (text.length > maxFrameLength) return undefined;
  const value = objectOf(parsed(text));
  const header = headerOf(objectOf(value?.['header']));
  const route = routeOf(objectOf(value?.['route']));
  if (value === undefined || header === undefined || route === undefined) return undefined;
  return { header, route, content: value['content'] ?? null };
}

/**
 * Content as a consumer in Go gets it: a string is taken as raw bytes, which for objects are JSON; anything else is the
 * value itself.
 */
export function contentOf(message: CloudMessage): unknown {
  return typeof message.content === 'string' ? (parsed(message.content) ?? message.content) : message.content;
}

type Fields = Readonly<Record<string, unknown>>;

function headerOf(fields: Fields | undefined): CloudHeader | undefined {
  if (fields === undefined) return undefined;
  const { msg_id: id, timestamp, sync } = fields;
  if (typeof id !== 'string' || typeof timestamp !== 'number') return undefined;
  const isFlagged = typeof sync === 'boolean';
  return { msg_id: id, timestamp, ...textsOf(fields, headerTexts), ...(isFlagged ? { sync } : {}) };
}

function routeOf(fields: Fields | undefined): CloudRoute | undefined {
  return fields === undefined ? undefined : textsOf(fields, routeTexts);
}

/** The named fields that are texts; all others are left out. */
function textsOf<K extends string>(fields: Fields, names: readonly K[]): { readonly [N in K]?: string } {
  const pairs = names.flatMap((name) => {
    const value = fields[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs) as { readonly [N in K]?: string };
}

function objectOf(value: unknown): Fields | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
