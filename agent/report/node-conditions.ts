import { rfc3339 } from '../core/utc-text.ts';
import type { Condition, ConditionStatus } from '../health/condition.ts';
import type { Summary } from '../health/summary.ts';

/** One condition as the Node object has it. */
export interface NodeCondition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  /** At most 1 KiB in UTF-8. */
  readonly message: string;
  /** Wall clock of the last change of `status`. */
  readonly sinceMs: number;
}

/** Conditions of a Node by type. */
export type NodeConditions = Readonly<Record<string, NodeCondition>>;

/** Types that belong to the kubelet and to Kubernetes itself: never written by anybody else. */
const foreign = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure', 'NetworkUnavailable'];
/** Types whose name on a Node should say that they are about the board. */
const renamed: Readonly<Record<string, string>> = { Prepared: 'BoardPrepared' };

const statuses: Readonly<Record<ConditionStatus, NodeCondition['status']>> = {
  true: 'True',
  false: 'False',
  unknown: 'Unknown',
};
const maxMessageBytes = 1_024;

/** Name of a board's condition on the Node object. */
export function nodeConditionType(type: string): string {
  return renamed[type] ?? (foreign.includes(type) ? `Board${type}` : type);
}

/**
 * What the Node object should say: everything on the board but what may be gone in a moment, with its cause or by itself.
 * That one stays as it was told.
 */
export function nodeConditions(
  conditions: readonly Condition[],
  summary: Summary,
  told: NodeConditions,
): NodeConditions {
  const pending = new Set(summary.pending.map((condition) => condition.type));
  for (const { condition, by } of summary.silenced) if (pending.has(by)) pending.add(condition.type);
  const entries = conditions.flatMap((condition): [string, NodeCondition][] => {
    const type = nodeConditionType(condition.type);
    const before = told[type];
    if (pending.has(condition.type)) return before === undefined ? [] : [[type, before]];
    const status = statuses[condition.status];
    // An agent that was restarted does not know since when; the cloud does.
    const sinceMs =
      before?.status === status ? Math.min(before.sinceMs, condition.sinceMs) : condition.sinceMs;
    return [[type, { status, reason: condition.reason, message: clipped(condition.message), sinceMs }]];
  });
  return Object.fromEntries(entries);
}

/** Content of a `nodepatch`: a strategic merge patch of the Node's status, which touches only the types it names. */
export function statusPatch(conditions: NodeConditions, removed: readonly string[], wallMs: number): string {
  const set = Object.entries(conditions).map(([type, condition]) => ({
    type,
    status: condition.status,
    reason: condition.reason,
    message: condition.message,
    lastHeartbeatTime: rfc3339(wallMs),
    lastTransitionTime: rfc3339(condition.sinceMs),
  }));
  const gone = removed.map((type) => ({ $patch: 'delete', type }));
  return JSON.stringify({ status: { conditions: [...set, ...gone] } });
}

/** Cuts a text at a whole character. */
function clipped(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxMessageBytes) return text;
  return new TextDecoder().decode(bytes.subarray(0, maxMessageBytes - 3), { stream: true });
}
