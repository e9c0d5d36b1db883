import { isGood } from '../api/client.ts';
import type { StatusDocument, UnitStatus } from '../api/wire.ts';
import { durationText } from './duration.ts';
import type { Style } from './style.ts';
import { type Cell, tableLines } from './table.ts';

/** What the text of a status depends on besides the status. */
export interface TextSetting {
  readonly nowMs: number;
  readonly style: Style;
  readonly columns: number;
}

type Condition = StatusDocument['conditions'][number];

/** The status for people: one line of summary, then units and conditions. */
export function statusLines(status: StatusDocument, setting: TextSetting): string[] {
  const { style, columns } = setting;
  return [
    ...headLines(status, setting),
    '',
    ...tableLines(
      [header(style, 'UNIT', 'PHASE', 'SINCE', 'PID', 'NOTE'), ...status.units.map(unitRow(setting))],
      columns,
    ),
    '',
    ...tableLines(
      [
        header(style, 'CONDITION', 'STATUS', 'SINCE', 'REASON'),
        ...status.conditions.map(conditionRow(status, setting)),
      ],
      columns,
    ),
  ];
}

function header(style: Style, ...words: string[]): Cell[] {
  return words.map((text) => ({ text, paint: style.dim }));
}

function headLines(status: StatusDocument, { style, columns }: TextSetting): string[] {
  const { agent, prep } = status;
  const isReady: Cell = status.ready
    ? { text: 'ready', paint: style.good }
    : { text: 'not ready', paint: style.bad };
  const rows: (Cell | string)[][] = [
    ['board', isReady],
    [
      'agent',
      `${agent.version}, up ${durationText(agent.uptimeMs)}, pid ${agent.pid}, ${bytesText(agent.memoryBytes)}`,
    ],
    ['ground', groundText(prep)],
    ...agent.configProblems.map((problem): Cell[] => [
      { text: 'config' },
      { text: problem, paint: style.bad },
    ]),
  ];
  return tableLines(rows, columns);
}

function groundText(prep: StatusDocument['prep']): string {
  const state = prep.isPrepared ? 'prepared' : 'not prepared';
  const strategy =
    prep.strategy === undefined ? '' : `, root ${prep.strategy.root}, cgroup ${prep.strategy.cgroup}`;
  const last = prep.lastRepair === undefined ? '' : ` (last: ${prep.lastRepair.what})`;
  return `${state}${strategy}, ${prep.repairs} ${prep.repairs === 1 ? 'repair' : 'repairs'}${last}`;
}

function bytesText(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}

function unitRow({ nowMs, style }: TextSetting): (unit: UnitStatus) => Cell[] {
  return (unit) => [
    { text: unit.name },
    { text: unit.phase, paint: phasePaint(unit, style) },
    { text: durationText(nowMs - unit.sinceMs) },
    { text: unit.pid === undefined ? '-' : String(unit.pid) },
    { text: unitNote(unit, nowMs) },
  ];
}

function phasePaint({ phase, wanted }: UnitStatus, style: Style): (text: string) => string {
  if (phase === 'ready') return style.good;
  if (phase === 'failed') return style.bad;
  return phase === 'down' && wanted === 'down' ? style.dim : style.warn;
}

function unitNote(unit: UnitStatus, nowMs: number): string {
  const parts = [
    unit.adopted === true ? 'adopted' : '',
    unit.wanted === 'down' && unit.phase !== 'down' ? 'wanted down' : '',
    unit.phase === 'ready' ? '' : [unit.reason, unit.message].filter((text) => text !== '').join(': '),
    unit.retryAtMs === undefined ? '' : `next try in ${durationText(unit.retryAtMs - nowMs)}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function conditionRow(status: StatusDocument, setting: TextSetting): (condition: Condition) => Cell[] {
  const { style, nowMs } = setting;
  return (condition) => {
    const isCalm = isGood(condition);
    const paint = isCalm ? style.good : condition.status === 'unknown' ? style.warn : style.bad;
    // A condition is never older than the agent; the wall clock of a board without battery may have jumped since.
    const age = Math.min(nowMs - condition.sinceMs, status.agent.uptimeMs);
    return [
      { text: condition.type },
      { text: condition.status, paint },
      { text: durationText(age) },
      { text: isCalm ? condition.reason : conditionNote(condition) },
    ];
  };
}

function conditionNote({ reason, message, causedBy }: Condition): string {
  return causedBy === undefined ? `${reason}: ${message}` : `${reason}: because of ${causedBy}`;
}
