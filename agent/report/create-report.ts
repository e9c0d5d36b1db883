import type { DoctorDocument, StatusDocument } from '../api/wire.ts';
import type { Clock, Random } from '../core/clock.ts';
import type { EdgeNodes } from '../core/edge-node.ts';
import type { HttpCaller } from '../core/http-caller.ts';
import type { BrokerLink, FrameLink } from '../core/link.ts';
import type { Log } from '../core/log.ts';
import type { QuestionDesk } from '../core/question.ts';
import type { Sample } from '../core/samples.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import type { LogQuery, UnitLogLine } from '../core/unit-logs.ts';
import type { HealthBoard } from '../health/board.ts';
import type { Ledger } from '../health/ledger.ts';
import type { RecordStorage } from '../health/record-file.ts';
import { Bell } from './bell.ts';
import { BrokerKeeper, type BrokerUser } from './broker-keeper.ts';
import { CloudChannels } from './cloud-channels.ts';
import { CloudMemory } from './cloud-memory.ts';
import { CloudReporter } from './cloud-reporter.ts';
import { CommandDesk, type CommandVerb } from './command-desk.ts';
import { CommandMemory } from './command-memory.ts';
import { Door } from './door.ts';
import { Journal } from './journal.ts';
import { QueryDesk } from './query-desk.ts';
import { Report, type ReportState } from './report.ts';
import { Spool } from './spool.ts';
import { twinValues } from './twin-properties.ts';
import { TwinReporter } from './twin-reporter.ts';

/** The keys of the configuration that this room reads. */
export interface ReportSettings {
  readonly 'report.twin': boolean;
  readonly 'report.namespace': string;
  readonly 'report.intervalMs': number;
  readonly 'report.fullMs': number;
  readonly 'report.spreadMs': number;
  readonly 'report.node': boolean;
  readonly 'report.events': boolean;
  readonly 'report.topic': string;
  readonly 'query.enabled': boolean;
  readonly 'query.port': number;
  readonly 'query.logs': boolean;
  readonly 'command.verbs': readonly string[];
  readonly 'command.topic': string;
  readonly 'command.replyTopic': string;
}

/** Something that listens and stops. */
export interface Listener {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** What the room works with. */
export interface ReportOptions {
  readonly settings: ReportSettings;
  /** Directory for the spools and what is known about the cloud; it exists. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly storage: RecordStorage;
  readonly links: { readonly broker: BrokerLink; readonly hub: FrameLink; readonly http: HttpCaller };
  readonly nodes: EdgeNodes;
  readonly gate: SpeakerGate;
  readonly board: HealthBoard;
  readonly ledger: Ledger;
  readonly sample: () => Sample | undefined;
  readonly status: () => StatusDocument;
  readonly doctor: (signal: AbortSignal) => Promise<DoctorDocument>;
  readonly logs: (query: LogQuery, signal: AbortSignal) => AsyncIterable<UnitLogLine>;
  /** Everything that a signed command could do; the configuration says which of it may be done. */
  readonly verbs: Readonly<Record<string, CommandVerb>>;
  readonly commandKey: () => Promise<string | undefined>;
  readonly listen: (desk: QuestionDesk, port: number) => Listener;
  /** Makes ids that nobody else makes. */
  readonly newId: () => string;
}

const nodePace = { intervalMs: 5_000, messageMs: 300_000, badMs: 600_000, goodMs: 21_600_000 } as const;
/** Conditions of 10,000 boards at once must not fill the disk of one: the ledger itself is on disk as well. */
const eventLimits = { items: 200, bytes: 131_072 } as const;

/** Builds the room: what this board tells the cloud, and what it answers. Nothing acts before `start`. */
export function createReport(options: ReportOptions): Report {
  const { settings, clock, storage, stateDir, log, nodes, random, links } = options;
  const twinBell = new Bell(clock);
  const nodeBell = new Bell(clock);
  const spool = new Spool({ storage, path: `${stateDir}/journal.records` });
  const events = new Spool({ storage, path: `${stateDir}/events.records`, limits: eventLimits });
  const twin = createTwin(options, twinBell);
  const topic = settings['report.topic'];
  const journal = topic === '' ? undefined : new Journal({ spool, clock, log, topic });
  const commands = createCommands(options);
  const users: BrokerUser[] = [settings['report.twin'] ? twin : undefined, journal, commands].filter(
    (user) => user !== undefined,
  );
  const broker = new BrokerKeeper({ link: links.broker, nodes, users, clock, random, log });
  const node = createNodeReporter(options, nodeBell, settings['report.events'] ? events : undefined);
  const state = (): ReportState => {
    return { broker: broker.state(), twin: twin.state(), node: node.state(), waiting: spool.size };
  };
  const desk = new QueryDesk({
    sources: { ...sourcesOf(options), report: state },
    clock,
    log,
    showsLogs: settings['query.logs'],
  });
  const door = new Door({
    name: 'query',
    log,
    clock,
    isWanted: async () => (await nodes.read()) !== undefined,
    watch: (listener) => nodes.watch(listener),
    listener: () => options.listen(desk, settings['query.port']),
  });
  return new Report({
    board: options.board,
    ledger: options.ledger,
    nodes,
    log,
    spools: [spool, events],
    events: settings['report.events'] && settings['report.node'] ? events : undefined,
    journal,
    twin,
    bells: [twinBell, nodeBell],
    broker: users.length > 0 ? broker : undefined,
    node: settings['report.node'] ? node : undefined,
    door: settings['query.enabled'] ? door : undefined,
    state,
  });
}

function createTwin(options: ReportOptions, bell: Bell): TwinReporter {
  const { settings, clock, random, log, board, newId } = options;
  return new TwinReporter({
    clock,
    random,
    log,
    bell,
    namespace: settings['report.namespace'],
    spreadMs: settings['report.spreadMs'],
    pace: {
      intervalMs: settings['report.intervalMs'],
      measuredMs: Math.min(300_000, settings['report.fullMs']),
      fullMs: settings['report.fullMs'],
    },
    epoch: newId().slice(0, 8),
    read: () => {
      const summary = board.summary();
      const { sample, status, ledger } = options;
      const source = { status: status(), summary, sample: sample(), newest: ledger.newest(1)[0] };
      return { values: twinValues({ ...source, wallMs: clock.wallMs() }), nextMs: summary.nextMs };
    },
  });
}

function createNodeReporter(options: ReportOptions, bell: Bell, events: Spool | undefined): CloudReporter {
  const { clock, random, log, nodes, gate, board, links, stateDir, storage, newId } = options;
  const memory = new CloudMemory(storage.files, `${stateDir}/cloud.json`);
  const channels = new CloudChannels({
    link: links.hub,
    http: links.http,
    gate,
    memory,
    events,
    clock,
    log,
    newId,
  });
  return new CloudReporter({
    nodes,
    channels,
    memory,
    gate,
    clock,
    random,
    log,
    pace: nodePace,
    board,
    bell,
  });
}

/** Only where the configuration allows a verb is anybody listened to at all. */
function createCommands(options: ReportOptions): CommandDesk | undefined {
  const { settings, clock, log, board, storage, stateDir, commandKey: key } = options;
  const allowed = Object.entries(options.verbs).filter(([name]) => settings['command.verbs'].includes(name));
  if (allowed.length === 0) return undefined;
  return new CommandDesk({
    clock,
    log,
    memory: new CommandMemory(storage.files, `${stateDir}/commands.json`, clock),
    key,
    verbs: Object.fromEntries(allowed),
    isClockGood: () => board.get('ClockSynced')?.status !== 'false',
    topic: settings['command.topic'],
    replyTopic: settings['command.replyTopic'],
  });
}

function sourcesOf({ board, ledger, sample, status, doctor, logs }: ReportOptions) {
  return {
    status,
    sample,
    doctor,
    logs,
    summary: () => board.summary(),
    ledger: (after: number, limit: number) => ledger.after(after, limit),
    ledgerSequence: () => ledger.lastSequence,
  };
}
