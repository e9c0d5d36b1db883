import { type Terminal } from '../terminal/terminal.ts';
import { hangingText } from '../terminal/wrap-text.ts';
import { type Finding, releasesOf } from './findings.ts';
import type { Severity } from './rule-table.ts';

/** How many findings of one severity there are. */
export function countOf(findings: readonly Finding[], severity: Severity): number {
  return findings.filter((finding) => finding.severity === severity).length;
}

function paintSeverity(severity: Severity, { style }: Terminal): string {
  if (severity === 'error') return style.red(severity);
  return severity === 'warning' ? style.yellow(severity) : style.dim(severity);
}

function printFinding(file: string, finding: Finding, terminal: Terminal): void {
  const { out, style, width } = terminal;
  const place = `${file}:${finding.line}${finding.path === '' ? '' : ` ${finding.path}`}`;
  const head = `${paintSeverity(finding.severity, terminal)} ${style.bold(finding.rule)} (${releasesOf(finding)})`;
  out(`${place}: ${head}: ${finding.detail}`);
  out(hangingText('    ', `${finding.why}. Fix: ${finding.fix}.`, width));
  out(style.dim(hangingText('    ', finding.source, width)));
}

/** Prints the findings of one file and one line of sum. */
export function printFindings(file: string, findings: readonly Finding[], terminal: Terminal): void {
  for (const finding of findings) printFinding(file, finding, terminal);
  const errors = countOf(findings, 'error');
  const verdict = errors > 0 ? terminal.style.red('no') : terminal.style.green('yes');
  const counts = `${errors} errors, ${countOf(findings, 'warning')} warnings, ${countOf(findings, 'hint')} hints`;
  terminal.out(`${verdict}: ${file}: ${counts}`);
}
