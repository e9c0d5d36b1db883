import type { Terminal } from '../terminal/terminal.ts';
import { since } from './explain.ts';
import { isGood, type NodeView } from './node-view.ts';

/** One row for each node: Kubernetes' view beside the agent's. */
export function healthTable(views: readonly NodeView[], nowMs: number, { style }: Terminal): string {
  const head = [
    'NODE',
    'KUBERNETES',
    'FOR',
    'AGENT',
    'WHY',
    'DOCKERD',
    'EDGECORE',
    'CPU',
    'MEM',
    'DISK',
    'TOLD',
  ];
  const rows = views.map((view) => rowOf(view, nowMs));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const painted = rows.map((row, index) => {
    const view = views[index];
    return view !== undefined && isWell(view) ? line(row) : style.red(line(row));
  });
  return [style.bold(line(head)), ...painted].join('\n');
}

/** Reports whether both Kubernetes and the agent see nothing wrong. */
export function isWell(view: NodeView): boolean {
  return view.ready?.status === 'True' && view.conditions.every(isGood) && view.twin?.['ready'] !== 'false';
}

function rowOf({ node, ready, conditions, twin = {} }: NodeView, nowMs: number): readonly string[] {
  const bad = conditions.find((condition) => !isGood(condition));
  const isSilent = conditions.length === 0 && Object.keys(twin).length === 0;
  const word = bad === undefined && twin['ready'] !== 'false' ? 'well' : 'not well';
  const why = bad === undefined ? twin['reason'] : `${bad.type}:${bad.reason}`;
  const told = twin['time'];
  return [
    node,
    readyWord(ready?.status),
    since(ready?.lastTransitionTime, nowMs),
    isSilent ? 'silent' : word,
    orDash(why),
    orDash(twin['dockerd']),
    orDash(twin['edgecore']),
    ...['cpu', 'memory', 'disk'].map((name) => orDash(twin[name], '%')),
    told === undefined ? '-' : `${since(told, nowMs)} ago`,
  ];
}

function orDash(text: string | undefined, unit = ''): string {
  return text === undefined || text === '' ? '-' : `${text}${unit}`;
}

function readyWord(status: string | undefined): string {
  if (status === 'True') return 'Ready';
  return status === 'False' ? 'NotReady' : 'Unknown';
}
