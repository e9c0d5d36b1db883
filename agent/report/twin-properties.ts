import type { StatusDocument } from '../api/wire.ts';
import type { Sample } from '../core/samples.ts';
import { rfc3339 } from '../core/utc-text.ts';
import type { Condition } from '../health/condition.ts';
import type { LedgerRecord } from '../health/ledger.ts';
import type { Summary } from '../health/summary.ts';
import { encodeTwinText } from './twin-text.ts';

/** One property of the agent's Device. */
export interface TwinProperty {
  readonly name: string;
  /** What it says, for the DeviceModel. */
  readonly help: string;
  /**
   * How much a number must move before it is news, in its own unit; 0 sends every change. A property without a band is
   * never news by itself and travels with others.
   */
  readonly band?: number;
  /** Whether it is a measurement, whose changes may wait, or a state. */
  readonly isMeasured: boolean;
}

/** What the values are read from. */
export interface TwinSource {
  readonly status: StatusDocument;
  readonly summary: Summary;
  readonly sample: Sample | undefined;
  readonly newest: LedgerRecord | undefined;
  /** Wall clock in milliseconds. */
  readonly wallMs: number;
}

interface Row extends TwinProperty {
  readonly value: (source: TwinSource) => string;
}

const state = { band: 0, isMeasured: false } as const;

function measured(
  name: string,
  band: number,
  help: string,
  read: (sample: Sample) => number | undefined,
): Row {
  const value = ({ sample }: TwinSource): string => {
    const number = sample === undefined ? undefined : read(sample);
    return number === undefined ? '' : String(Math.round(number));
  };
  return { name, help, band, isMeasured: true, value };
}

/** Every property, in the order in which people read them. Names are part of the cloud's Device model. */
const rows: readonly Row[] = [
  {
    name: 'ready',
    help: 'true when nothing keeps the board from being ready',
    ...state,
    value: ({ status, summary }) => String(status.conditions.length > 0 && summary.roots.length === 0),
  },
  {
    name: 'reason',
    help: 'first cause that keeps the board from being ready, as Condition:Reason; - when there is none',
    ...state,
    value: ({ summary }) => (summary.roots[0] === undefined ? '' : inShort(summary.roots[0])),
  },
  {
    name: 'message',
    help: 'the same as a sentence',
    ...state,
    value: ({ summary }) => summary.roots[0]?.message ?? '',
  },
  {
    name: 'conditions',
    help: 'all conditions that are not good, as Condition:Reason',
    ...state,
    value: ({ summary }) =>
      [...summary.roots, ...summary.silenced.map((entry) => entry.condition)].map(inShort).join(','),
  },
  { name: 'dockerd', help: 'phase of dockerd', ...state, value: ({ status }) => phaseOf(status, 'dockerd') },
  {
    name: 'edgecore',
    help: 'phase of edgecore',
    ...state,
    value: ({ status }) => phaseOf(status, 'edgecore'),
  },
  {
    name: 'restarts',
    help: 'starts of all units since the agent runs',
    ...state,
    value: ({ status }) => String(status.units.reduce((sum, unit) => sum + unit.starts, 0)),
  },
  {
    name: 'containers',
    help: 'containers as running/stopped',
    ...state,
    value: ({ sample }) => {
      const counts = sample?.containers;
      return counts === undefined ? '' : `${counts.running}/${counts.stopped + counts.paused}`;
    },
  },
  {
    name: 'ledger',
    help: 'newest entry of the ledger as number:kind:subject:reason',
    ...state,
    value: ({ newest }) =>
      newest === undefined ? '' : `${newest.sequence}:${newest.kind}:${newest.subject}:${newest.reason}`,
  },
  measured('cpu', 20, 'busy share of all cores in percent', (sample) => sample.cpuPercent),
  measured('memory', 10, 'used memory in percent', ({ memory }) =>
    used(memory.availableBytes, memory.totalBytes),
  ),
  measured('disk', 5, 'used room of the fullest disk in percent', ({ disks }) =>
    disks.length === 0 ? undefined : Math.max(...disks.map((disk) => used(disk.freeBytes, disk.totalBytes))),
  ),
  measured('temperature', 5, 'hottest sensor in degrees Celsius', (sample) => sample.temperatureC),
  measured('wear', 10, 'used life of the flash in percent', ({ wear }) => {
    const ages = wear.map((device) => device.usedLifePercent).filter((age) => age !== undefined);
    return ages.length === 0 ? undefined : Math.max(...ages);
  }),
  { name: 'agent', help: 'version of the agent', ...state, value: ({ status }) => status.agent.version },
  {
    name: 'boot',
    help: 'first part of the boot id; a new one is a reboot',
    ...state,
    value: ({ status }) => status.agent.bootId.slice(0, 8),
  },
  {
    name: 'time',
    help: "the board's clock at the report, RFC 3339 in UTC",
    isMeasured: false,
    value: ({ wallMs }) => rfc3339(wallMs),
  },
];

/** Values of all properties, each fit for the wire. */
export function twinValues(source: TwinSource): ReadonlyMap<string, string> {
  return new Map(rows.map((row) => [row.name, encodeTwinText(row.value(source))]));
}

function inShort(condition: Condition): string {
  return `${condition.type}:${condition.reason}`;
}

function phaseOf(status: StatusDocument, name: string): string {
  return status.units.find((unit) => unit.name === name)?.phase ?? '';
}

function used(free: number, total: number): number {
  return total <= 0 ? 0 : (100 * (total - free)) / total;
}

/** Properties of the agent's Device as plain data: the cloud's DeviceModel is made from them. */
export const twinProperties: readonly TwinProperty[] = rows;
