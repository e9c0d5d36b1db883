import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Verbs } from './api/verbs.ts';
import { type DoctorDocument, type SamplesDocument, type StatusDocument, wireVersion } from './api/wire.ts';
import type { Config } from './config/config.ts';
import { AgentError } from './core/agent-error.ts';
import type { Clock } from './core/clock.ts';
import type { DockerApi } from './core/docker.ts';
import type { UnitLogs } from './core/unit-logs.ts';
import type { Edge } from './edge/edge.ts';
import type { HealthBoard } from './health/board.ts';
import { randomId } from './host/random-id.ts';
import { Turns } from './host/turns.ts';
import type { Prep } from './prep/create-prep.ts';
import { summarize } from './prep/doctor/finding.ts';
import type { Reporting } from './reporting.ts';
import type { Selftest } from './selftest/selftest.ts';
import type { Supervisor } from './units/supervisor.ts';
import type { Updater } from './update/updater.ts';

/** The rooms that can be asked something. */
export interface VerbParts {
  readonly clock: Clock;
  readonly board: HealthBoard;
  readonly prep: Prep;
  readonly supervisor: Supervisor;
  readonly logs: UnitLogs;
  readonly docker: DockerApi;
  readonly config: Config;
  readonly configProblems: readonly string[];
  readonly busybox: string;
  readonly edge: Edge;
  readonly reporting: Reporting;
  readonly updater: Updater;
  /** Ends the agent, to be started anew. */
  readonly leave: () => void;
}

/** Each look at the machine starts some dozens of tools, and whoever may only read may ask for it. */
const looksAtOnce = 2;
/** Milliseconds of a shutdown's deadline that are kept for the answer. */
const answerMs = 300;

/** Milliseconds until an agent that was told to restart ends: its answer goes out first. */
const leaveMs = 200;

/** Wires each question of the API to the room that can answer it. */
export function createVerbs(parts: VerbParts): Verbs {
  const { board, prep, supervisor, logs, edge, reporting, updater } = parts;
  const startedAtMs = parts.clock.wallMs();
  const startedMs = parts.clock.nowMs();
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const looks = new Turns(looksAtOnce);
  return {
    status: () => statusDocument(parts, { startedAtMs, uptimeMs: parts.clock.nowMs() - startedMs, bootId }),
    watch: (listener) => board.watch(listener),
    eventsAfter: (sequence) => board.eventsAfter(sequence),
    version: () => ({ ...runtime(), wire: wireVersion, version: __VERSION__ }),
    plan: (signal) => looks.run(signal, () => prep.plan(signal)),
    apply: () => prep.applyNow(),
    undo: () => prep.undo(),
    doctor: (signal) => looks.run(signal, () => doctorOf(parts, signal)),
    ledger: (after, limit) => reporting.ledger.after(after, limit),
    samples: () => samplesOf(reporting),
    edge: {
      status: () => edge.status(),
      join: (order, signal) => edge.join(order, signal),
      leave: (order, signal) => edge.leave(order, signal),
    },
    parts: {
      list: () => updater.list(),
      update: (part, order, signal) => updater.update(part, order, signal),
      rollback: (part) => updater.rollback(part),
    },
    startUnit: async (name) => supervisor.startUnit(name),
    stopUnit: async (name) => supervisor.stopUnit(name),
    restartUnit: async (name) => supervisor.restartUnit(name),
    restartAgent: async () => {
      const { parts: all } = await updater.list();
      if (all.some(({ part, phase }) => part === 'agent' && phase !== 'settled')) {
        const why = 'an update of it is on trial, and a restart would count against it';
        throw new AgentError(
          'UNIT_REFUSED',
          `Cannot restart the agent: ${why}; see \`agentctl update --list\``,
        );
      }
      parts.clock.after(leaveMs, parts.leave);
      return { pid: process.pid, startedAtMs };
    },
    logs: (query, signal) => logs.lines({ ...query, unit: knownLog(supervisor, query.unit) }, signal),
    selftest: lazySelftest(parts),
    async shutdown({ deadlineMs }) {
      const reports = await supervisor.shutdown({ totalMs: Math.max(0, deadlineMs - answerMs) });
      const killed = reports.filter(({ result }) => result === 'killed' || result === 'left');
      return { orderly: killed.length === 0, killed: killed.map(({ unit }) => unit) };
    },
  };
}

/** The ground's checks and those of the edge node as one list. */
async function doctorOf({ prep, edge }: VerbParts, signal: AbortSignal): Promise<DoctorDocument> {
  const [ground, node] = await Promise.all([prep.doctor(signal), edge.doctor(signal)]);
  return summarize([...ground.findings, ...node]);
}

function samplesOf({ sampler }: Reporting): SamplesDocument {
  const inventory = sampler.inventory();
  return { samples: sampler.past(), ...(inventory === undefined ? {} : { inventory }) };
}

/** Name of a log that there can be; UNIT_UNKNOWN where nobody of that name ever wrote one. */
function knownLog(supervisor: Supervisor, name: string): string {
  const names = ['agent', ...supervisor.status().map((unit) => unit.name)];
  if (names.includes(name)) return name;
  throw new AgentError('UNIT_UNKNOWN', `Cannot read the log of "${name}": want one of ${names.join(', ')}`);
}

function runtime(): { readonly node: string; readonly platform: string; readonly arch: string } {
  return { node: process.version, platform: process.platform, arch: process.arch };
}

function statusDocument(
  parts: VerbParts,
  life: { readonly startedAtMs: number; readonly uptimeMs: number; readonly bootId: string },
): StatusDocument {
  const { board, prep, supervisor, config, configProblems, edge } = parts;
  const { node, platform, arch } = runtime();
  return {
    wire: wireVersion,
    agent: {
      version: __VERSION__,
      pid: process.pid,
      ...life,
      node: config['node.name'],
      runtime: node,
      platform,
      arch,
      memoryBytes: process.memoryUsage.rss(),
      configProblems,
    },
    ready: board.isReady(),
    conditions: board.conditions(),
    units: supervisor.status(),
    prep: prep.status(),
    edge: edge.status(),
    sequence: board.sequence,
  };
}

/** The ladder is loaded when somebody first climbs it; there is one, so that two climbers do not meet. */
function lazySelftest({ docker, clock, busybox }: VerbParts): Verbs['selftest'] {
  let loaded: Promise<Selftest> | undefined;
  const load = async (): Promise<Selftest> => {
    const { Selftest } = await import('./selftest/selftest.ts');
    const readBusybox = () => readFile(busybox);
    const { readTcp } = await import('./host/tcp-reader.ts');
    return new Selftest({
      docker,
      clock,
      readBusybox,
      readTcp: (port, signal) => readTcp('127.0.0.1', port, signal),
      newToken: () => randomId().slice(0, 8),
    });
  };
  return async (wishes, signal) => {
    loaded ??= load();
    const selftest = await loaded;
    return selftest.run(wishes, signal);
  };
}
