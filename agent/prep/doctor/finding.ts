import type { DoctorDocument, Finding, Severity } from '../../api/wire.ts';

const order: readonly Severity[] = ['ok', 'info', 'warning', 'error'];

/** What a check says besides its id and title. */
export interface Outcome {
  readonly severity: Severity;
  readonly seen: string;
  readonly wanted: string;
  /** Which failure a user would see. */
  readonly why: string;
  readonly fix: string;
}

/** A finding that is right. */
export function fine(id: string, title: string, seen: string): Finding {
  return { id, severity: 'ok', title, seen, wanted: '', why: '', fix: '' };
}

/** A finding that is wrong, or worth knowing. */
export function found(id: string, title: string, outcome: Outcome): Finding {
  return { id, title, ...outcome };
}

/** All findings with the worst of them. */
export function summarize(findings: readonly Finding[]): DoctorDocument {
  const worst = findings.reduce<Severity>(
    (so, finding) => (order.indexOf(finding.severity) > order.indexOf(so) ? finding.severity : so),
    'ok',
  );
  return { worst, findings };
}
