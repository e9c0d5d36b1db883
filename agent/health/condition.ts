/** Kubernetes' three truth values of a condition, in our lower case. */
export type ConditionStatus = 'true' | 'false' | 'unknown';

/** One line of the board: what is (not) so, since when, and why. */
export interface Condition {
  /** PascalCase name, e.g. `DockerReady`. */
  readonly type: string;
  readonly status: ConditionStatus;
  /** PascalCase word for programs, e.g. `CrashLoop`. */
  readonly reason: string;
  /** Sentence for people, at most 1 KiB; never a secret. */
  readonly message: string;
  /** Wall-clock milliseconds of the last change of `status`. */
  readonly sinceMs: number;
  /** Wall-clock milliseconds of the last time anybody looked, whether or not something had changed. */
  readonly probedAtMs: number;
  /** Type of the condition that causes this one; its consequences are silenced in summaries. */
  readonly causedBy?: string;
}

/** Conditions that are good when false; all others are good when true. */
const goodWhenFalse = /Pressure$/;

/** Reports whether a condition is in its good state. */
export function isGood(condition: Pick<Condition, 'type' | 'status'>): boolean {
  return condition.status === (goodWhenFalse.test(condition.type) ? 'false' : 'true');
}

/** Something that happened, numbered without gaps within one boot of the agent. */
export interface AgentEvent {
  readonly sequence: number;
  readonly atMs: number;
  /** Past fact, e.g. `unit.ended`, `step.applied`, `condition.changed`. */
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
