/** What a run found, as the last line of the program inside says it. */
export interface Report {
  readonly rounds: number;
  /** Faults by kind. */
  readonly counts: Readonly<Record<string, number>>;
  /** Broken promises; none in a good run. */
  readonly violations: readonly string[];
  /** Size of the agent, taken each time when everything was well. */
  readonly sizes: readonly {
    readonly life: number;
    readonly round: number;
    readonly bytes: number;
    readonly descriptors: number;
  }[];
  /** How often it was looked whether anything runs twice. */
  readonly looks: number;
  /** How often the agent was started. */
  readonly lives: number;
  readonly events: number;
}

/** One line of the program inside. */
export type ChaosEvent =
  | { readonly event: 'begun'; readonly afterMs: number }
  | { readonly event: 'skipped'; readonly fault: string; readonly why: string }
  | {
      readonly event: 'round';
      readonly number: number;
      readonly faults: readonly string[];
      readonly ms: number;
      readonly wrong: readonly string[];
    }
  | { readonly event: 'report'; readonly report: Report };

/** The line for people. */
export function eventText(event: ChaosEvent): string {
  switch (event.event) {
    case 'begun':
      return `everything is up after ${seconds(event.afterMs)}`;
    case 'skipped':
      return `        skipped: ${event.fault}: ${event.why}`;
    case 'round': {
      const head = `${event.wrong.length === 0 ? 'ok    ' : 'BROKEN'} ${String(event.number).padStart(3)} ${event.faults.join(' + ')}`;
      return [
        `${head}, well after ${seconds(event.ms)}`,
        ...event.wrong.map((text) => `           ${text}`),
      ].join('\n');
    }
    case 'report':
      return reportText(event.report);
  }
}

function reportText({ rounds, counts, violations, sizes, looks, lives, events }: Report): string {
  const faults = Object.entries(counts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, count]) => `${kind} ${count}`);
  const bytes = sizes.map((size) => size.bytes / 1_048_576);
  const descriptors = sizes.map((size) => size.descriptors);
  return [
    '',
    `${rounds} rounds, ${lives} lives of the agent, ${events} events, ${looks} looks for anything that runs twice`,
    `faults: ${faults.join(', ')}`,
    `agent when well: ${span(bytes)} MiB, ${span(descriptors)} descriptors (first ${bytes[0]?.toFixed(0) ?? '?'} MiB, ${descriptors[0] ?? '?'}; last ${bytes.at(-1)?.toFixed(0) ?? '?'} MiB, ${descriptors.at(-1) ?? '?'})`,
    violations.length === 0 ? 'every promise was kept' : `${violations.length} promises were broken:`,
    ...violations.map((text) => `  ${text}`),
  ].join('\n');
}

function span(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
