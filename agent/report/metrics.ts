import type { StatusDocument } from '../api/wire.ts';
import type { Sample } from '../core/samples.ts';
import { isGood } from '../health/condition.ts';

/** What the metrics are read from. */
export interface MetricsSource {
  readonly status: StatusDocument;
  readonly sample: Sample | undefined;
  /** Number of the newest entry of the ledger. */
  readonly ledgerSequence: number;
}

/** Content type of the text, as Prometheus wants it. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

interface Series {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Family {
  readonly name: string;
  readonly help: string;
  /** Whether it only ever grows. */
  readonly isCounter?: boolean;
  readonly series: readonly Series[];
}

/**
 * The state of the board as Prometheus text. Nothing is counted on the way: every number is read when it is asked for,
 * so that a board that nobody scrapes pays nothing. The library is loaded with the first question.
 */
export async function metricsText(source: MetricsSource): Promise<string> {
  const [{ default: Registry }, { default: Gauge }, { default: Counter }] = await Promise.all([
    import('prom-client/lib/registry.js'),
    import('prom-client/lib/gauge.js'),
    import('prom-client/lib/counter.js'),
  ]);
  const registry = new Registry();
  for (const { name, help, isCounter, series } of families(source)) {
    if (series.length === 0) continue;
    const labelNames = Object.keys(series[0]?.labels ?? {});
    const options = { name, help, labelNames, registers: [registry] };
    const metric = isCounter === true ? new Counter(options) : new Gauge(options);
    for (const { labels = {}, value } of series) metric.inc(labels, value);
  }
  return registry.metrics();
}

function families({ status, sample, ledgerSequence }: MetricsSource): readonly Family[] {
  return [...agentFamilies(status, ledgerSequence), ...unitFamilies(status), ...boardFamilies(sample)];
}

function agentFamilies(status: StatusDocument, ledgerSequence: number): readonly Family[] {
  const { agent, conditions, ready, prep } = status;
  const info = { version: agent.version, runtime: agent.runtime, arch: agent.arch, node: agent.node };
  return [
    one('edge_agent_ready', 'Whether every condition of the board is good', ready ? 1 : 0),
    {
      name: 'edge_agent_info',
      help: 'Always 1; the labels say what runs',
      series: [{ value: 1, labels: info }],
    },
    {
      name: 'edge_agent_condition_good',
      help: 'Whether a condition is in its good state; the reason is its label',
      series: conditions.map((condition) => ({
        value: isGood(condition) ? 1 : 0,
        labels: { type: condition.type, reason: condition.reason },
      })),
    },
    {
      ...one('edge_agent_repairs_total', 'Drift of the ground work that was repaired', prep.repairs),
      isCounter: true,
    },
    {
      ...one('edge_agent_ledger_entries_total', 'Entries ever written to the ledger', ledgerSequence),
      isCounter: true,
    },
    ...maybe(
      'edge_node_certificate_ends_seconds',
      "End of the node's certificate, in seconds since 1970",
      seconds(status.edge?.certificate?.notAfterMs),
    ),
    one('edge_agent_uptime_seconds', 'Time since the agent started', agent.uptimeMs / 1_000),
    one('edge_agent_resident_bytes', 'Resident memory of the agent', agent.memoryBytes),
  ];
}

function unitFamilies({ units }: StatusDocument): readonly Family[] {
  const each = (value: (unit: StatusDocument['units'][number]) => number): readonly Series[] =>
    units.map((unit) => ({ value: value(unit), labels: { unit: unit.name } }));
  return [
    {
      name: 'edge_agent_unit_ready',
      help: 'Whether a unit is ready',
      series: each((unit) => (unit.phase === 'ready' ? 1 : 0)),
    },
    {
      name: 'edge_agent_unit_wanted',
      help: 'Whether a unit is meant to run: not stopped on request, and edgecore only once the board has joined',
      series: each((unit) => (unit.wanted === 'up' ? 1 : 0)),
    },
    {
      name: 'edge_agent_unit_failures',
      help: 'Failures of a unit in a row',
      series: each((unit) => unit.failures),
    },
    {
      name: 'edge_agent_unit_starts_total',
      help: 'Starts of a unit since the agent runs',
      isCounter: true,
      series: each((unit) => unit.starts),
    },
    {
      name: 'edge_agent_unit_log_dropped_bytes_total',
      help: 'Output of a unit that the disk did not take',
      isCounter: true,
      series: each((unit) => unit.droppedBytes ?? 0),
    },
  ];
}

function boardFamilies(sample: Sample | undefined): readonly Family[] {
  if (sample === undefined) return [];
  const { memory, disks, network, wear, containers } = sample;
  return [
    ...maybe('edge_board_cpu_percent', 'Busy share of all cores', sample.cpuPercent),
    ...maybe('edge_board_temperature_celsius', 'Hottest sensor', sample.temperatureC),
    one('edge_board_load1', 'Load average over one minute', sample.load),
    one('edge_board_memory_total_bytes', 'Memory of the board', memory.totalBytes),
    one('edge_board_memory_available_bytes', 'Memory that programs can still get', memory.availableBytes),
    byPath('edge_board_disk_total_bytes', 'Size of a file system', disks, (disk) => disk.totalBytes),
    byPath('edge_board_disk_free_bytes', 'Free room of a file system', disks, (disk) => disk.freeBytes),
    {
      ...one('edge_board_written_bytes_total', 'Written to all disks since boot', sample.writtenBytes),
      isCounter: true,
    },
    {
      name: 'edge_board_flash_used_life_percent',
      help: 'Upper bound of the used life of an eMMC',
      series: wear.flatMap(({ device, usedLifePercent: value }) =>
        value === undefined ? [] : [{ value, labels: { device } }],
      ),
    },
    {
      name: 'edge_board_network_received_bytes_total',
      help: 'Received by an interface',
      isCounter: true,
      series: network.map(({ name, receivedBytes }) => ({
        value: receivedBytes,
        labels: { interface: name },
      })),
    },
    {
      name: 'edge_board_network_sent_bytes_total',
      help: 'Sent by an interface',
      isCounter: true,
      series: network.map(({ name, sentBytes }) => ({ value: sentBytes, labels: { interface: name } })),
    },
    {
      name: 'edge_board_containers',
      help: 'Containers by state',
      series: Object.entries(containers ?? {}).map(([state, value]) => ({
        value: Number(value),
        labels: { state },
      })),
    },
  ];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1_000);
}

function one(name: string, help: string, value: number): Family {
  return { name, help, series: [{ value }] };
}

function maybe(name: string, help: string, value: number | undefined): readonly Family[] {
  return value === undefined ? [] : [one(name, help, value)];
}

function byPath<T extends { readonly path: string }>(
  name: string,
  help: string,
  items: readonly T[],
  value: (item: T) => number,
): Family {
  return { name, help, series: items.map((item) => ({ value: value(item), labels: { path: item.path } })) };
}
