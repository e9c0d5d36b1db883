import { earliestTimeMs } from '../core/constants.ts';
import type { EdgeNode } from '../core/edge-node.ts';
import { rfc3339 } from '../core/utc-text.ts';
import type { LedgerRecord } from '../health/ledger.ts';
import { type CloudMessage, type CloudRoute, contentOf } from './cloud-message.ts';
import { isGoodOnNode } from './cloud-plan.ts';
import type { CloudSession } from './cloud-session.ts';
import { type NodeConditions, statusPatch } from './node-conditions.ts';

/** What became of a write to the Node object. */
export type PushResult =
  | { readonly how: 'done' }
  /** Nobody answered: the cloud does not listen to this session, or is slow. */
  | { readonly how: 'silent' }
  /** The cloud has no such Node yet. */
  | { readonly how: 'no-node'; readonly message: string }
  | { readonly how: 'refused'; readonly message: string };

/** One write. */
export interface NodePush {
  readonly node: EdgeNode;
  readonly conditions: NodeConditions;
  readonly removed: readonly string[];
  readonly wallMs: number;
}

/** Annotation that carries the report on clouds before 1.12, which know no patch of the status. */
const healthAnnotation = 'oh-edge-agent/health';

const source = { source: 'edged', group: 'meta' } as const;
const answerMs = 5_000;

/** Writes conditions over a session and waits for the cloud's answer. */
export async function pushConditions(
  session: CloudSession,
  push: NodePush,
  signal: AbortSignal,
): Promise<PushResult> {
  const { route, content } = messageOf(push);
  const reply = await session.ask(route, content, { withinMs: answerMs, signal });
  return reply === undefined ? { how: 'silent' } : judge(reply);
}

/**
 * Sends an entry of the ledger as an event of the Node. There is no answer to it. The uid is the node's name, as the
 * kubelet does it; `kubectl describe node` asks for both.
 */
export function pushEvent(
  session: CloudSession,
  node: string,
  { record, wallMs }: { readonly record: LedgerRecord; readonly wallMs: number },
): boolean {
  // A board without a battery writes down its start before it knows the time.
  const time = rfc3339(record.atMs < earliestTimeMs ? wallMs : record.atMs);
  const name = `${node}.${record.bootId.slice(0, 8)}.${record.sequence}`;
  const event = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Node', name: node, uid: node },
    reason: record.reason,
    message: `${record.subject}: ${record.message}`,
    type: record.kind === 'boot' ? 'Normal' : 'Warning',
    source: { component: 'oh-edge-agent', host: node },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  return session.tell({ ...source, operation: 'insert', resource: `default/event/${name}` }, event);
}

/** Minor number of a 1.x release; undefined where the version is not known. */
export function minorOf(version: string | undefined): number | undefined {
  const match = /^v?1\.(\d+)/.exec(version ?? '');
  return match === null ? undefined : Number(match[1]);
}

function messageOf({ node, conditions, removed, wallMs }: NodePush): {
  readonly route: CloudRoute;
  readonly content: unknown;
} {
  const minor = minorOf(node.edgecoreVersion);
  if (minor !== undefined && minor < 12) {
    const text = removed.length > 0 ? '' : inShort(conditions, wallMs);
    const metadata = { name: node.node, annotations: { [healthAnnotation]: text } };
    return {
      route: { ...source, operation: 'update', resource: `default/node/${node.node}` },
      content: { apiVersion: 'v1', kind: 'Node', metadata },
    };
  }
  return {
    route: { ...source, operation: 'patch', resource: `default/nodepatch/${node.node}` },
    content: statusPatch(conditions, removed, wallMs),
  };
}

function inShort(conditions: NodeConditions, wallMs: number): string {
  const bad = Object.entries(conditions).filter(([type, condition]) => !isGoodOnNode(type, condition));
  const list = bad.map(([type, { status, reason, message }]) => ({ type, status, reason, message }));
  return JSON.stringify({ time: rfc3339(wallMs), bad: list });
}

function judge(reply: CloudMessage): PushResult {
  const content = contentOf(reply);
  const status = field(field(content, 'Err'), 'ErrStatus') ?? field(content, 'ErrStatus');
  if (status !== undefined) {
    const why = field(status, 'message');
    const message = typeof why === 'string' ? why.slice(0, 300) : 'no reason given';
    return { how: field(status, 'code') === 404 ? 'no-node' : 'refused', message };
  }
  const error = field(content, 'Err');
  if (error !== undefined && error !== null) {
    return { how: 'refused', message: JSON.stringify(error).slice(0, 300) };
  }
  if (reply.route.operation === 'error')
    return { how: 'refused', message: String(reply.content).slice(0, 300) };
  return { how: 'done' };
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
