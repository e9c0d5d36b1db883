import type { Clock } from '../core/clock.ts';
import type { HealthBoard } from './board.ts';
import type { AgentEvent } from './condition.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/** What the keeper works with. */
export interface LedgerKeeperOptions {
  readonly ledger: Ledger;
  readonly board: HealthBoard;
  readonly clock: Clock;
  readonly bootId: string;
}

/** The same entry again within this time is not written: a step that fails every few seconds is one story. */
const sameAgainMs = 600_000;
const remembered = 64;

/** Writes into the ledger what the rooms tell the board: what was restarted, held, repaired or set aside, and why. */
export class LedgerKeeper {
  readonly #options: LedgerKeeperOptions;
  /** Last lines of each unit, as evidence for its next entry. */
  readonly #lines = new Map<string, readonly string[]>();
  readonly #written = new Map<string, number>();
  #unwatch: () => void = () => undefined;

  constructor(options: LedgerKeeperOptions) {
    this.#options = options;
  }

  /** Opens the ledger, notes that the agent has started, and listens. */
  async start(): Promise<void> {
    const { ledger, board, bootId } = this.#options;
    await ledger.start();
    const isSameBoot = ledger.newest(1)[0]?.bootId === bootId;
    const reason = isSameBoot ? 'AgentRestarted' : 'Booted';
    const message = isSameBoot ? 'The agent was started again; the board was not' : 'The board was started';
    this.#write({ kind: 'boot', subject: 'agent', reason, message });
    this.#unwatch = board.watch((event) => this.#take(event));
  }

  async stop(): Promise<void> {
    this.#unwatch();
    await this.#options.ledger.stop();
  }

  #take({ event, fields }: AgentEvent): void {
    const unit = textOf(fields['unit']);
    const lines = fields['lines'];
    if (Array.isArray(lines) && unit !== '') this.#lines.set(unit, lines.map(textOf));
    const entry = entryOf(event, fields);
    if (entry === undefined) return;
    const evidence = this.#lines.get(unit) ?? [];
    this.#lines.delete(unit);
    this.#write(evidence.length > 0 ? { ...entry, evidence } : entry);
  }

  #write(entry: LedgerEntry): void {
    const now = this.#options.clock.nowMs();
    const key = [entry.kind, entry.subject, entry.reason, entry.message].join('\n');
    const beforeMs = this.#written.get(key);
    if (beforeMs !== undefined && now - beforeMs < sameAgainMs && entry.kind !== 'restart') return;
    this.#written.delete(key);
    this.#written.set(key, now);
    for (const old of [...this.#written.keys()].slice(0, -remembered)) this.#written.delete(old);
    void this.#options.ledger.write(entry).onDisk;
  }
}

type Fields = AgentEvent['fields'];

/** Events that belong into the ledger, and what they say there. */
const entries: Readonly<Record<string, (fields: Fields) => LedgerEntry | undefined>> = {
  'unit.changed': unitEntry,
  'step.applied': (fields) => {
    if (fields['isRepair'] !== true) return undefined;
    const message = `${textOf(fields['what'])}: ${textOf(fields['why'])}`;
    return { kind: 'repair', subject: textOf(fields['id']), reason: 'Drift', message };
  },
  'step.failed': (fields) => {
    return {
      kind: 'hold',
      subject: textOf(fields['id']),
      reason: 'StepFailed',
      message: textOf(fields['message']),
    };
  },
  'dockerd.repaired': (fields) => quarantined('dockerd', fields),
  'containerd.repaired': (fields) => quarantined('containerd', fields),
  'dockerd.orphans-ended': (fields) => endedEntry(fields, 'their containerd lost its metadata'),
  'containerd.orphans-ended': (fields) => endedEntry(fields, 'their containerd lost its metadata'),
  'dockerd.networkless-ended': (fields) =>
    endedEntry(fields, 'dockerd makes lost networks again only without them'),
  'dockerd.container-revived': (fields) => containerEntry('restart', fields, 'It was started again'),
  'dockerd.container-not-revived': (fields) =>
    containerEntry('hold', fields, 'It could not be started again'),
  'unit.aided': (fields) => {
    const message = `While it stayed ${textOf(fields['reason'])}: ${linesOf(fields['done']).join('; ')}`;
    return { kind: 'repair', subject: textOf(fields['unit']), reason: textOf(fields['reason']), message };
  },
  'unit.resumed': (fields) => {
    const message = 'A signal had stopped it, and it was told to go on';
    return { kind: 'repair', subject: textOf(fields['unit']), reason: 'Resumed', message };
  },
  'dockerd.shims-resumed': (fields) => {
    const message = `A signal had stopped the shims of ${linesOf(fields['containers']).join(', ')}; they were told to go on`;
    return { kind: 'repair', subject: 'dockerd', reason: 'ShimsResumed', message };
  },
  'dockerd.runtime-replaced': (fields) => {
    const message = `containerd died and dockerd started another one (process ${textOf(fields['pid'])})`;
    return { kind: 'restart', subject: 'containerd', reason: 'RuntimeReplaced', message };
  },
  'dockerd.reserve-used': (fields) => {
    const message = `The disk was full, so ${textOf(fields['path'])} was given up for a last start; free some space`;
    return { kind: 'repair', subject: 'dockerd', reason: 'ReserveUsed', message };
  },
  'agent.memory-exceeded': (fields) => {
    const message = `It had ${textOf(fields['bytes'])} bytes resident, more than ${textOf(fields['maxBytes'])}, and ended to be started anew`;
    return { kind: 'restart', subject: 'agent', reason: 'AgentTooLarge', message };
  },
  'agent.hung': (fields) => {
    const [silence = 'silent for long', ...evidence] = linesOf(fields['lines']);
    const message = `Its main thread was ${silence}, so it was killed and started anew`;
    return { kind: 'restart', subject: 'agent', reason: 'AgentHung', message, evidence };
  },
  'part.switched': partEntry,
  'part.confirmed': partEntry,
  'part.taken-back': partEntry,
  'part.stuck': partEntry,
  'part.record-broken': partEntry,
  'unit.record-broken': (fields) => {
    const message = `Its record was unreadable and was set aside as ${textOf(fields['aside'])}`;
    return { kind: 'quarantine', subject: textOf(fields['unit']), reason: 'RecordBroken', message };
  },
  'unit.forgotten': (fields) => {
    const message = `The configuration no longer declares it, and its process ${textOf(fields['pid'])} runs on unwatched; declare it again, or end it with kill`;
    return { kind: 'hold', subject: textOf(fields['unit']), reason: 'NotDeclared', message };
  },
  'units.shut-down': () => {
    return {
      kind: 'hold',
      subject: 'units',
      reason: 'Shutdown',
      message: 'All units were stopped on request',
    };
  },
};

/** Entry for an event of the board; undefined where it is none of the ledger's business. */
export function entryOf(event: string, fields: Fields): LedgerEntry | undefined {
  return Object.hasOwn(entries, event) ? entries[event]?.(fields) : undefined;
}

/** A unit that waits for its next try, was given up, or waits for something else. */
function unitEntry(fields: Fields): LedgerEntry | undefined {
  const [to, reason] = [textOf(fields['to']), textOf(fields['reason'])];
  if (to !== 'waiting' && to !== 'failed' && !(to === 'held' && reason !== 'Starting')) return undefined;
  const message = textOf(fields['message']);
  return { kind: to === 'held' ? 'hold' : 'restart', subject: textOf(fields['unit']), reason, message };
}

function containerEntry(kind: 'restart' | 'hold', fields: Fields, what: string): LedgerEntry {
  const reason = `Container${textOf(fields['reason'])}`;
  const message = `${what}: ${textOf(fields['why'])}`;
  return { kind, subject: textOf(fields['name']), reason, message };
}

function endedEntry(fields: Fields, why: string): LedgerEntry {
  const message = `${linesOf(fields['containers']).join(', ')} were ended; those with a restart policy are started again: ${why}`;
  return { kind: 'restart', subject: 'containers', reason: 'StateLost', message };
}

/** A part of the board that was changed; its story says it in full. */
function quarantined(subject: string, fields: Fields): LedgerEntry {
  const message = `${textOf(fields['path'])} was set aside as ${textOf(fields['aside'])}; lost: ${textOf(fields['lost'])}`;
  return { kind: 'quarantine', subject, reason: pascal(textOf(fields['name'])), message };
}

function partEntry(fields: Fields): LedgerEntry {
  const [subject, reason, message] = ['part', 'reason', 'message'].map((name) => textOf(fields[name]));
  return { kind: 'update', subject: subject ?? '', reason: reason ?? '', message: message ?? '' };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined ? '' : (JSON.stringify(value) ?? '');
}

function linesOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(textOf) : [];
}

function pascal(words: string): string {
  return words.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
