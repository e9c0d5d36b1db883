import { type Release, rangesOf, releases } from './release.ts';
import { type Rule, ruleOf, type Severity } from './rule-table.ts';

/** Where in a file something is: line from 1 and JSON path such as `services[0].env[1].value`. */
export interface Place {
  readonly line: number;
  readonly path: string;
}

/** One rule that a place in the file meets, in the releases where it does. */
export interface Finding extends Place {
  readonly rule: string;
  readonly severity: Severity;
  readonly detail: string;
  readonly releases: readonly Release[];
  readonly why: string;
  readonly fix: string;
  readonly source: string;
}

/** Says that a place meets a rule; rules that do not hold in the release at hand are passed over. */
export type Report = (rule: string, place: Place, detail: string) => void;

/** Collects what several releases report and folds the same finding of several releases into one. */
export class Findings {
  readonly #found = new Map<string, { rule: Rule; place: Place; detail: string; releases: Set<Release> }>();

  /** The report function for one release. */
  reporterFor(release: Release): Report {
    return (id, place, detail) => {
      const rule = ruleOf(id);
      if (!rule.releases.includes(release)) return;
      const key = JSON.stringify([id, place.line, place.path, detail]);
      const known = this.#found.get(key) ?? { rule, place, detail, releases: new Set() };
      known.releases.add(release);
      this.#found.set(key, known);
    };
  }

  /** Everything found, by line, the gravest first within a line. */
  list(): readonly Finding[] {
    const grades: readonly Severity[] = ['error', 'warning', 'hint'];
    return [...this.#found.values()]
      .map(({ rule, place, detail, releases: met }) => ({
        rule: rule.id,
        severity: rule.severity,
        ...place,
        detail,
        releases: releases.filter((release) => met.has(release)),
        why: rule.why,
        fix: rule.fix,
        source: rule.source,
      }))
      .sort((a, b) => a.line - b.line || grades.indexOf(a.severity) - grades.indexOf(b.severity));
  }
}

/** The releases of a finding as ranges. */
export function releasesOf(finding: Finding): string {
  return rangesOf(finding.releases);
}
