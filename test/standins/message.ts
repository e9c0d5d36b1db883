import { randomUUID } from 'node:crypto';

/**
 * KubeEdge's message as it travels on the WebSocket: one JSON text frame each
 * (kubeedge/kubeedge staging/src/github.com/kubeedge/beehive/pkg/core/model/message.go, v1.22.1).
 */
export interface Message {
  readonly header: {
    readonly msg_id: string;
    readonly parent_msg_id?: string;
    readonly timestamp: number;
    readonly resourceversion?: string;
    readonly sync?: boolean;
    readonly type?: string;
  };
  readonly route: Route;
  readonly content?: unknown;
}

/** Where a message comes from and what it is about. */
export interface Route {
  readonly source?: string;
  readonly destination?: string;
  readonly group?: string;
  readonly operation?: string;
  readonly resource?: string;
}

/** What a new message may carry besides its route and content. */
export interface MessageOptions {
  readonly parentId?: string;
  readonly resourceVersion?: string;
  readonly sync?: boolean;
}

/** Makes a message with a fresh id and the time of now. */
export function newMessage(route: Route, content: unknown, options: MessageOptions = {}): Message {
  return {
    header: {
      msg_id: randomUUID(),
      ...(options.parentId === undefined ? {} : { parent_msg_id: options.parentId }),
      timestamp: Date.now(),
      ...(options.resourceVersion === undefined ? {} : { resourceversion: options.resourceVersion }),
      ...(options.sync === undefined ? {} : { sync: options.sync }),
    },
    route,
    content,
  };
}

/** Text of a frame; Go's encoder ends each with a line feed. */
export function encodeMessage(message: Message): string {
  return `${JSON.stringify(message)}\n`;
}

/** Message of a frame, or undefined where the frame is no message. */
export function decodeMessage(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  return 'header' in value && typeof value.header === 'object' && value.header !== null && 'route' in value;
}

/**
 * Content as Go's GetContentData gives it to a consumer: a string is the raw bytes, anything else its JSON; here
 * parsed where it is JSON.
 */
export function contentOf(message: Message): unknown {
  if (typeof message.content !== 'string') return message.content;
  try {
    return JSON.parse(message.content);
  } catch {
    return message.content;
  }
}
