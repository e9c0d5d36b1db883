import type { Summary } from './statistics.ts';

/** Bound that a result is held to; `ratio` compares with the reference of the same run, `value` is absolute. */
export interface Goal {
  readonly of: 'ratio' | 'value';
  readonly is: '<=' | '<' | '>=';
  readonly bound: number;
}

/** What somebody else's program, or a bare one, needed for the same in the same run. */
export interface Reference {
  readonly name: string;
  readonly summary: Summary;
}

/** One figure of the agent beside one reference, as a benchmark reports it. */
export interface Measurement {
  /** Word that selects it on the command line. */
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly summary: Summary;
  readonly reference?: Reference;
  readonly goal?: Goal;
}

/** Median and spread in the form of the JSON output. */
export interface Spread {
  readonly n: number;
  readonly q1: number;
  readonly q3: number;
  readonly min: number;
  readonly max: number;
}

/** One figure in the form of the JSON output; `value` is the median. */
export interface Result {
  readonly group: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly spread: Spread;
  readonly reference: ({ readonly name: string; readonly value: number } & Spread) | null;
  /** Value divided by the reference; null without a reference or where that is 0. */
  readonly ratio: number | null;
  readonly goal: string | null;
  /** Null where no goal is set, or where its reference could not be measured. */
  readonly ok: boolean | null;
}

/** Compares a measurement with its reference and its goal. */
export function evaluate(measurement: Measurement): Result {
  const { group, name, unit, summary, reference, goal } = measurement;
  const value = round(summary.median);
  const ratio = reference === undefined ? null : divide(summary.median, reference.summary.median);
  return {
    group,
    name,
    value,
    unit,
    spread: spreadOf(summary),
    reference:
      reference === undefined
        ? null
        : { name: reference.name, value: round(reference.summary.median), ...spreadOf(reference.summary) },
    ratio,
    goal: goal === undefined ? null : goalText(goal, unit, reference?.name),
    ok: goal === undefined ? null : isReached(goal, value, ratio),
  };
}

/** The goals that were missed. */
export function missed(results: readonly Result[]): readonly Result[] {
  return results.filter((result) => result.ok === false);
}

function goalText(goal: Goal, unit: string, referenceName: string | undefined): string {
  if (goal.of === 'value') return `${goal.is} ${goal.bound} ${unit}`;
  return `${goal.is} ${goal.bound} × ${referenceName ?? 'reference'}`;
}

function isReached(goal: Goal, value: number, ratio: number | null): boolean | null {
  const seen = goal.of === 'value' ? value : ratio;
  if (seen === null) return null;
  switch (goal.is) {
    case '<=':
      return seen <= goal.bound;
    case '<':
      return seen < goal.bound;
    case '>=':
      return seen >= goal.bound;
  }
}

function divide(value: number, by: number): number | null {
  return by === 0 ? null : round(value / by);
}

function spreadOf(summary: Summary): Spread {
  return {
    n: summary.n,
    q1: round(summary.q1),
    q3: round(summary.q3),
    min: round(summary.min),
    max: round(summary.max),
  };
}

/** Four significant digits: more would be noise. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
