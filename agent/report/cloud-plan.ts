import type { NodeCondition, NodeConditions } from './node-conditions.ts';

/** How often the Node object may be written. All in milliseconds. */
export interface CloudPace {
  /** No two writes are closer than this. */
  readonly intervalMs: number;
  /** A new message, or a new good condition, waits at least this long after the write before. */
  readonly messageMs: number;
  /** A bad state is confirmed this often. */
  readonly badMs: number;
  /** A good state is confirmed this often: it costs a session, and edgecore speaks for itself. */
  readonly goodMs: number;
}

/** What was written, and when. */
export interface CloudTold {
  readonly told: NodeConditions;
  /** Whether something else may have been written since, without an answer. */
  readonly isUnsure: boolean;
  /** Whether entries of the ledger wait to become events; they travel with a write. @default false */
  readonly hasEvents?: boolean;
  /** Monotonic time of the last write; undefined where this agent has not written yet. */
  readonly toldMs: number | undefined;
  /** Monotonic time at which this agent began to look. */
  readonly beganMs: number;
  /** Types that this agent has seen in their good state: where one is bad now, that is news and no slow start. */
  readonly seenGood: ReadonlySet<string>;
}

/** What to do now. */
export type CloudPlan =
  | { readonly push: false; readonly waitMs: number }
  | { readonly push: true; readonly removed: readonly string[] };

/** The rooms of an agent that has just started speak up one after the other; so long only what breaks meanwhile is written. */
const graceMs = 20_000;
/** A condition that nobody has mentioned for so long after the start is gone for good. */
const forgottenMs = 120_000;
/** What happened is told so long after the write before, also where nothing else is to be written. */
const eventMs = 60_000;

/** Decides whether the Node object must be written, and when to look again. */
export function planCloud(
  desired: NodeConditions,
  { told, isUnsure, hasEvents = false, toldMs, beganMs, seenGood }: CloudTold,
  pace: CloudPace,
  nowMs: number,
): CloudPlan {
  const stale = Object.keys(told).filter((type) => !(type in desired));
  const isFirst = Object.keys(told).length === 0;
  const bad = Object.entries(desired).filter(([type, condition]) => !isGoodOnNode(type, condition));
  const sinceMs = toldMs ?? beganMs;
  const startMs = bad.some(([type]) => seenGood.has(type)) ? beganMs : beganMs + graceMs;
  const openMs = toldMs === undefined ? startMs : toldMs + pace.intervalMs;
  const lazyMs = isFirst ? openMs : sinceMs + pace.messageMs;
  const forgetMs = beganMs + forgottenMs;
  const times = Object.entries(desired).map(([type, condition]) => {
    const urgency = urgencyOf(condition, told[type], !isGoodOnNode(type, condition));
    return urgency === 'now' ? openMs : urgency === 'later' ? lazyMs : Number.POSITIVE_INFINITY;
  });
  if (isUnsure) times.push(openMs);
  if (hasEvents) times.push(sinceMs + eventMs);
  if (stale.length > 0) times.push(forgetMs);
  const atMs = Math.max(openMs, Math.min(sinceMs + (bad.length > 0 ? pace.badMs : pace.goodMs), ...times));
  if (nowMs >= atMs) return { push: true, removed: nowMs >= forgetMs ? stale : [] };
  return { push: false, waitMs: Math.max(1, atMs - nowMs) };
}

/** Reports whether a Node condition is in its good state: pressures are good when false. */
export function isGoodOnNode(type: string, condition: NodeCondition): boolean {
  return condition.status === (type.endsWith('Pressure') ? 'False' : 'True');
}

function urgencyOf(
  condition: NodeCondition,
  told: NodeCondition | undefined,
  isBad: boolean,
): 'now' | 'later' | 'never' {
  if (told === undefined) return isBad ? 'now' : 'later';
  if (told.status !== condition.status) return 'now';
  if (!isBad) return 'never';
  if (told.reason !== condition.reason) return 'now';
  return told.message === condition.message ? 'never' : 'later';
}
