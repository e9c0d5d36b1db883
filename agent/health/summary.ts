import { rowOf } from './catalogue.ts';
import { type Condition, isGood } from './condition.ts';

/** A condition and for how long it has been in its status. */
export interface AgedCondition {
  readonly condition: Condition;
  /** Monotonic milliseconds since its status last changed; infinite where it was never good. */
  readonly ageMs: number;
}

/** A bad condition that another bad one explains. */
export interface SilencedCondition {
  readonly condition: Condition;
  /** Type of the first cause in the chain. */
  readonly by: string;
}

/** The board as people should see it: causes first, consequences apart, flickers not at all. */
export interface Summary {
  /** Bad for long enough, and not the consequence of anything else on the board. */
  readonly roots: readonly Condition[];
  readonly silenced: readonly SilencedCondition[];
  /** Bad, but younger than its time to visible. */
  readonly pending: readonly Condition[];
  /** Milliseconds until the next pending one becomes visible; undefined where none is pending. */
  readonly nextMs: number | undefined;
}

/** Sorts the bad conditions of a board into causes, consequences and those too young to tell. */
export function summarize(aged: readonly AgedCondition[]): Summary {
  const bad = aged.filter(({ condition }) => !isGood(condition));
  const byType = new Map(bad.map(({ condition }) => [condition.type, condition]));
  const causes = new Map(bad.map(({ condition }) => [condition.type, rootOf(condition, byType)]));
  const roots: Condition[] = [];
  const silenced: SilencedCondition[] = [];
  const pending: Condition[] = [];
  let nextMs: number | undefined;
  for (const { condition, ageMs } of bad) {
    const by = causes.get(condition.type);
    const waitMs = rowOf(condition.type).visibleAfterMs - ageMs;
    // A cause that names its own consequence as its cause explains nothing: then both are shown.
    if (by !== undefined && causes.get(by) === undefined) silenced.push({ condition, by });
    else if (waitMs <= 0) roots.push(condition);
    else {
      pending.push(condition);
      nextMs = Math.min(nextMs ?? waitMs, waitMs);
    }
  }
  return { roots, silenced, pending, nextMs };
}

/** Follows causes to the first one that is bad and has no bad cause itself; undefined where there is none. */
function rootOf(condition: Condition, bad: ReadonlyMap<string, Condition>): string | undefined {
  const seen = new Set([condition.type]);
  let root: string | undefined;
  for (let at: Condition | undefined = condition; at !== undefined; ) {
    const consequence: Condition = at;
    const cause = causesOf(consequence)
      .filter((type) => !seen.has(type))
      .map((type) => bad.get(type))
      .find((found) => found !== undefined && explains(found, consequence));
    if (cause === undefined) return root;
    seen.add(cause.type);
    root = cause.type;
    at = cause;
  }
  return root;
}

/** A state that nobody knows does not explain one that is known to be bad. */
function explains(cause: Condition, consequence: Condition): boolean {
  return cause.status !== 'unknown' || consequence.status === 'unknown';
}

function causesOf(condition: Condition): readonly string[] {
  const known = rowOf(condition.type).causes;
  return condition.causedBy === undefined ? known : [condition.causedBy, ...known];
}
