import type { LogQuery } from '../core/unit-logs.ts';
import type { AgentEvent } from '../health/condition.ts';
import type { LedgerRecord } from '../health/ledger.ts';
import type {
  ApplyDocument,
  DoctorDocument,
  EdgeDocument,
  JoinDocument,
  LeaveDocument,
  LogLine,
  PartsDocument,
  PlanDocument,
  RestartDocument,
  SamplesDocument,
  SelftestDocument,
  ShutdownDocument,
  StatusDocument,
  UnitStatus,
  UpdateDocument,
  VersionDocument,
} from './wire.ts';

/** What the container ladder shall do besides its fixed rungs. */
export interface SelftestOptions {
  /** Name that a container must resolve. */
  readonly dnsName?: string | undefined;
  /** `HOST:PORT` that a container must reach by TCP. */
  readonly egress?: string | undefined;
  /** Whether a published port of a container must answer. */
  readonly publish?: boolean | undefined;
}

/** Why the agent is asked to stop, and within which time. */
export interface ShutdownOrder {
  /** `reboot`: the power goes next, everything stops; `stop`: the same, but the board goes on. */
  readonly for: 'reboot' | 'stop';
  /** Milliseconds from now until whatever is left is killed. */
  readonly deadlineMs: number;
}

/** What leaving a cluster takes along. */
export interface LeaveOrder {
  readonly removesPods: boolean;
  readonly removesImages: boolean;
  readonly isDryRun: boolean;
}

/** The board's place in a cluster. An order to join is checked by the room itself: its token must not come back in an error. */
export interface EdgeVerbs {
  status(): EdgeDocument;
  join(order: unknown, signal: AbortSignal): Promise<JoinDocument>;
  leave(order: LeaveOrder, signal: AbortSignal): Promise<LeaveDocument>;
}

/** A file to put in for a part of the board. */
export interface UpdateOrder {
  /** Absolute path where the agent sees it. */
  readonly file: string;
  /** What its SHA-256 must be, in hex. */
  readonly sha256?: string | undefined;
  readonly version?: string | undefined;
  readonly isDryRun: boolean;
}

/** Parts that can be changed while the board runs; NOT_FOUND, BUSY, PART_REFUSED. */
export interface PartVerbs {
  list(): Promise<PartsDocument>;
  /** Answers when the new part has proved itself or was taken back; for the agent itself, before it starts anew. */
  update(part: string, order: UpdateOrder, signal: AbortSignal): Promise<UpdateDocument>;
  rollback(part: string): Promise<UpdateDocument>;
}

/**
 * Everything that can be asked of the agent, as plain calls: the routes are one line each on top of it, and the
 * composition root wires it to the rooms. A refusal is an AgentError; signals abort when the asker has gone.
 */
export interface Verbs {
  status(): StatusDocument;
  /** Calls the listener for each event from now on; the returned function ends it. */
  watch(listener: (event: AgentEvent) => void): () => void;
  eventsAfter(sequence: number): readonly AgentEvent[];
  /** Newest records of the ledger after a sequence number, oldest first. */
  ledger(after: number, limit: number): readonly LedgerRecord[];
  /** Load of the board over the last hours. */
  samples(): SamplesDocument;
  readonly edge: EdgeVerbs;
  readonly parts: PartVerbs;
  version(): VersionDocument;
  plan(signal: AbortSignal): Promise<PlanDocument>;
  apply(signal: AbortSignal): Promise<ApplyDocument>;
  undo(signal: AbortSignal): Promise<ApplyDocument>;
  doctor(signal: AbortSignal): Promise<DoctorDocument>;
  /** Wants the unit up (down) and answers its state once the change is on its way; UNIT_UNKNOWN, UNIT_REFUSED. */
  startUnit(name: string, signal: AbortSignal): Promise<UnitStatus>;
  stopUnit(name: string, signal: AbortSignal): Promise<UnitStatus>;
  restartUnit(name: string, signal: AbortSignal): Promise<UnitStatus>;
  /** Ends the agent once this is answered, for init to start it anew; its units run on. Refused while an update of it is on trial. */
  restartAgent(): Promise<RestartDocument>;
  /** Kept lines oldest first and, where the query is following, each new one until the signal aborts; UNIT_UNKNOWN. */
  logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  selftest(options: SelftestOptions, signal: AbortSignal): Promise<SelftestDocument>;
  /** Stops everything in reverse order and answers when it is down or the deadline has passed. */
  shutdown(order: ShutdownOrder, signal: AbortSignal): Promise<ShutdownDocument>;
}
