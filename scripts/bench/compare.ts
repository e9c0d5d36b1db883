import type { Goal, Measurement } from './result.ts';
import type { Series } from './series.ts';

/** What the rows of one comparison share. */
export interface Comparison {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly subject: string;
}

/** One row for each reference that was measured; goals are given by the reference's name. */
export function compare(
  series: Series,
  shared: Comparison,
  references: readonly string[],
  goals: Readonly<Record<string, Goal>> = {},
): readonly Measurement[] {
  const { group, name, unit, subject } = shared;
  if (!series.has(subject)) return [];
  const summary = series.summary(subject);
  return references
    .filter((reference) => series.has(reference))
    .map((reference) => ({
      group,
      name,
      unit,
      summary,
      reference: { name: reference, summary: series.summary(reference) },
      ...(goals[reference] === undefined ? {} : { goal: goals[reference] }),
    }));
}
