import { contentOf, type Message } from '../message.ts';
import { isObject, type Json } from './merge.ts';
import type { Profile } from './profile.ts';
import { type Kind, type KubeStore, metadataOf, type ObjectName } from './store.ts';

/** What cloudcore answers; the caller makes the message. */
export interface Reply {
  readonly content: unknown;
  /** Where it differs from the request's. */
  readonly resource?: string;
  readonly resourceVersion?: string;
  /** @default 'edgecontroller' */
  readonly source?: string;
  /** @default 'resource' */
  readonly group?: string;
}

/** Everything that the answer depends on. */
export interface Upstream {
  readonly store: KubeStore;
  readonly profile: Profile;
  /** Node id of the session that asks. */
  readonly nodeId: string;
  /** Whether cloudcore impersonates the node, so that NodeRestriction refuses objects of other nodes. */
  readonly isEnforced: boolean;
  /** Sends a pod's deletion down, as cloudcore's watch of the API would. */
  readonly deletePod: (name: ObjectName) => void;
}

interface Request extends ObjectName {
  readonly type: string;
  readonly operation: string;
  readonly content: unknown;
}

type Handler = (request: Request, cloud: Upstream) => Reply | undefined;

/**
 * Upstream table of cloudcore's edgecontroller, by resource type and operation
 * (kubeedge/kubeedge cloud/pkg/edgecontroller/controller/upstream.go, v1.12.6 and v1.22.1).
 */
const handlers: Readonly<Record<string, Handler>> = {
  'nodestatus insert': registerOld,
  'nodestatus update': replaceStatus,
  'node insert': register,
  'node query': query('node'),
  'node update': mergeLabels,
  'nodepatch patch': patchOf('node'),
  'podpatch patch': patchOf('pod'),
  'podstatus update': podStatus,
  'pod insert': insertPod,
  'pod delete': deletePod,
  'lease insert': writeLease,
  'lease update': writeLease,
  'lease query': (request, { store }) =>
    objectReply(store.get('lease', request), notFound('leases', request)),
  'event insert': writeEvent,
  'event update': writeEvent,
  'event patch': writeEvent,
  'configmap query': query('configmap'),
  'secret query': query('secret'),
  'persistentvolume query': query('persistentvolume'),
  'persistentvolumeclaim query': query('persistentvolumeclaim'),
  'volumeattachment query': query('volumeattachment'),
  'serviceaccounttoken query': serviceAccountToken,
};

/** Messages that only later releases know, by resource type or by type and operation. */
const gates: Readonly<Record<string, keyof Profile>> = {
  nodepatch: 'hasNodePatch',
  podpatch: 'hasNodePatch',
  lease: 'hasNodePatch',
  event: 'hasEvents',
  'node insert': 'hasNodePatch',
  'pod insert': 'hasPodInsert',
};

/** Answer of the edgecontroller to one message, or undefined where it keeps silent (it logs and drops). */
export function answerUpstream(message: Message, cloud: Upstream): Reply | undefined {
  const { resource = '', operation = '' } = message.route;
  const [namespace = '', type = '', name = ''] = resource.split('/');
  const request: Request = { namespace, type, name, operation, content: contentOf(message) };
  if (!isKnown(request, cloud.profile)) return undefined;
  if (cloud.isEnforced && isForeign(request, cloud.nodeId)) {
    const refusal = `node "${cloud.nodeId}" is not allowed to modify "${name}"`;
    return objectReply(undefined, status(403, 'Forbidden', refusal));
  }
  return handlers[`${type} ${operation}`]?.(request, cloud);
}

function isKnown({ type, operation }: Request, profile: Profile): boolean {
  const needed = [gates[type], gates[`${type} ${operation}`]];
  return needed.every((gate) => gate === undefined || profile[gate] === true);
}

function isForeign({ type, name }: Request, nodeId: string): boolean {
  return ['node', 'nodepatch', 'nodestatus', 'lease'].includes(type) && name !== nodeId;
}

function register(request: Request, { store }: Upstream): Reply {
  if (store.get('node', request) !== undefined) {
    return objectReply(undefined, status(409, 'AlreadyExists', `nodes "${request.name}" already exists`));
  }
  return objectReply(store.put('node', request, asObject(request.content)));
}

function registerOld(request: Request, { store }: Upstream): Reply {
  if (store.get('node', request) === undefined) store.put('node', request, asObject(request.content));
  return { content: 'OK', resource: `${request.namespace}/node/${request.name}` };
}

function replaceStatus(request: Request, { store }: Upstream): Reply | undefined {
  const node = store.get('node', request);
  if (node === undefined) return undefined;
  const stored = store.put('node', request, { ...node, status: asObject(request.content)['Status'] ?? {} });
  return {
    content: 'OK',
    resource: `${request.namespace}/node/${request.name}`,
    resourceVersion: versionOf(stored),
  };
}

function mergeLabels(request: Request, { store }: Upstream): Reply | undefined {
  const metadata = metadataOf(asObject(request.content));
  const patch = { labels: metadata['labels'] ?? {}, annotations: metadata['annotations'] ?? {} };
  const stored = store.patch('node', request, { metadata: patch });
  return stored === undefined ? undefined : { content: 'OK', resourceVersion: versionOf(stored) };
}

function patchOf(kind: 'node' | 'pod'): Handler {
  return (request, { store }) => {
    const patch = asObject(request.content);
    const stored = store.patch(kind, request, { status: patch['status'] ?? {} });
    return objectReply(stored, notFound(`${kind}s`, request));
  };
}

function podStatus(request: Request, { store, deletePod: sendDeletion }: Upstream): Reply {
  const list = Array.isArray(request.content) ? request.content.filter(isObject) : [];
  for (const { Name: podName, Status: podState } of list) {
    const name = { namespace: request.namespace, name: String(podName) };
    if (store.patch('pod', name, { status: asObject(podState) }) === undefined) sendDeletion(name);
  }
  return { content: 'OK' };
}

function insertPod(request: Request, { store }: Upstream): Reply {
  return objectReply(store.put('pod', request, asObject(request.content)));
}

function deletePod(request: Request, { store, deletePod: sendDeletion }: Upstream): Reply {
  if (store.remove('pod', request)) sendDeletion(request);
  return { content: 'OK' };
}

function writeLease(request: Request, { store }: Upstream): Reply {
  const isThere = store.get('lease', request) !== undefined;
  if (request.operation === 'insert' && isThere) {
    return objectReply(undefined, status(409, 'AlreadyExists', `leases "${request.name}" already exists`));
  }
  if (request.operation === 'update' && !isThere) return objectReply(undefined, notFound('leases', request));
  return objectReply(store.put('lease', request, asObject(request.content)));
}

/** Events are written and never answered. */
function writeEvent(request: Request, { store }: Upstream): undefined {
  store.put('event', request, asObject(request.content));
  return undefined;
}

function query(kind: Kind): Handler {
  return (request, { store, profile }) => {
    const object = store.get(kind, request);
    if (object !== undefined) return { content: object, resourceVersion: versionOf(object) };
    return profile.answersMissing ? { content: notFound(`${kind}s`, request) } : undefined;
  };
}

function serviceAccountToken(request: Request): Reply {
  const spec = asObject(asObject(request.content)['spec']);
  const seconds = typeof spec['expirationSeconds'] === 'number' ? spec['expirationSeconds'] : 3600;
  const expirationTimestamp = new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    content: {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name: request.name, namespace: request.namespace },
      spec,
      status: { token: 'stand-in-service-account-token', expirationTimestamp },
    },
  };
}

/** KubeEdge's ObjectResp: the object and the error side by side; a failed call gives an empty object. */
function objectReply(object: Json | undefined, error?: Json): Reply {
  if (object === undefined)
    return { content: { Object: { metadata: { creationTimestamp: null } }, Err: error ?? null } };
  return { content: { Object: object, Err: null }, resourceVersion: versionOf(object) };
}

function notFound(resource: string, { name }: ObjectName): Json {
  return status(404, 'NotFound', `${resource} "${name}" not found`);
}

/** apimachinery's StatusError as Go encodes it. */
function status(code: number, reason: string, message: string): Json {
  return { ErrStatus: { metadata: {}, status: 'Failure', message, reason, code } };
}

function versionOf(object: Json): string {
  return text(metadataOf(object)['resourceVersion']);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
