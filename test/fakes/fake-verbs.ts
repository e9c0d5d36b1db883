import type {
  LeaveOrder,
  SelftestOptions,
  ShutdownOrder,
  UpdateOrder,
  Verbs,
} from '../../agent/api/verbs.ts';
import type {
  ApplyDocument,
  DoctorDocument,
  EdgeDocument,
  JoinDocument,
  LeaveDocument,
  LogLine,
  PartView,
  PlanDocument,
  RestartDocument,
  SamplesDocument,
  SelftestDocument,
  ShutdownDocument,
  StatusDocument,
  StepView,
  UnitStatus,
  UpdateDocument,
  VersionDocument,
} from '../../agent/api/wire.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { Sample } from '../../agent/core/samples.ts';
import type { LogQuery } from '../../agent/core/unit-logs.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import type { LedgerRecord } from '../../agent/health/ledger.ts';
import { FakeClock } from './fake-clock.ts';

/** Wall clock at which the fake board stands still. */
export const boardTimeMs = Date.UTC(2025, 0, 1);

/** A board without a machine: two units, a health board and a plan, all of which the verbs really change. */
export class FakeVerbs implements Verbs {
  readonly clock = new FakeClock({ wallMs: boardTimeMs });
  readonly board = new HealthBoard(this.clock);
  readonly units = new Map<string, UnitStatus>();
  readonly lines: LogLine[] = [];
  readonly #readers = new Set<(line: LogLine) => void>();
  #watchers = 0;
  /** The order to join that came last; its token is a secret of the test. */
  joinOrder: unknown;
  joinDocument: JoinDocument = {
    joined: true,
    dryRun: false,
    node: 'rk-17',
    problems: [],
    steps: [],
    kept: [],
  };
  edgeDocument: EdgeDocument = { joined: false };
  records: LedgerRecord[] = [];
  load: Sample[] = [];
  steps: StepView[] = [];
  findings: DoctorDocument['findings'] = [];
  selftestDocument: SelftestDocument = { ok: true, steps: [] };
  asked: { selftest?: SelftestOptions; shutdown?: ShutdownOrder } = {};
  /** Thrown by every verb that is asked next, once. */
  failure: Error | undefined;
  /** Awaited by plan, so that a test decides when it answers. */
  gate: Promise<void> = Promise.resolve();
  killed: readonly string[] = [];
  /** How often the agent was told to start anew; each makes it another process. */
  restarts = 0;

  constructor() {
    this.setUnit('dockerd', { phase: 'ready', pid: 412, reason: 'Ready' });
    this.setUnit('edgecore', {
      phase: 'waiting',
      reason: 'CrashLoop',
      message: 'ended 5 times in 60 s',
      failures: 5,
    });
  }

  setUnit(name: string, facts: Partial<UnitStatus>): UnitStatus {
    const known: UnitStatus = this.units.get(name) ?? {
      name,
      wanted: 'up',
      phase: 'down',
      reason: '',
      message: '',
      sinceMs: boardTimeMs - 90_000,
      failures: 0,
      starts: 1,
    };
    const unit = { ...known, ...facts };
    this.units.set(name, unit);
    return unit;
  }

  status(): StatusDocument {
    this.#failOnce();
    return {
      wire: 1,
      agent: {
        version: '0.1.0',
        pid: 99 + this.restarts,
        startedAtMs: boardTimeMs - 3_600_000,
        uptimeMs: 3_600_000,
        node: 'rk-17',
        runtime: 'v22.0.0',
        platform: 'linux',
        arch: 'arm64',
        bootId: 'b',
        memoryBytes: 52_428_800,
        configProblems: [],
      },
      ready: this.board.isReady(),
      conditions: this.board.conditions(),
      units: [...this.units.values()],
      prep: {
        strategy: { root: 'stock', cgroup: 'v1', reasons: ['the image has no /var'] },
        isPrepared: true,
        repairs: 1,
        lastRepair: { atMs: boardTimeMs - 60_000, what: 'add rule 8500' },
      },
      sequence: this.board.eventsAfter(0).length,
    } as StatusDocument;
  }

  watch(listener: Parameters<HealthBoard['watch']>[0]): () => void {
    const stop = this.board.watch(listener);
    this.#watchers += 1;
    return () => {
      this.#watchers -= 1;
      stop();
    };
  }

  /** How many readers watch the status now. */
  watchers(): number {
    return this.#watchers;
  }

  eventsAfter(sequence: number) {
    return this.board.eventsAfter(sequence);
  }

  ledger(after: number, limit: number): readonly LedgerRecord[] {
    return this.records.filter(({ sequence }) => sequence > after).slice(-limit);
  }

  samples(): SamplesDocument {
    return { samples: this.load };
  }

  readonly edge = {
    status: (): EdgeDocument => this.edgeDocument,
    join: async (order: unknown): Promise<JoinDocument> => {
      this.joinOrder = order;
      await this.gate;
      return this.joinDocument;
    },
    leave: ({ removesImages, isDryRun }: LeaveOrder): Promise<LeaveDocument> => {
      const hints = [removesImages ? 'images are gone' : 'images stay', 'kubectl delete node rk-17'];
      return Promise.resolve({ left: !isDryRun, dryRun: isDryRun, node: 'rk-17', steps: this.steps, hints });
    },
  };

  /** dockerd, which people can change; what happens to a change is up to the test. */
  partView: PartView = {
    part: 'dockerd',
    phase: 'settled',
    current: { slot: 'image', path: '/system/opt/oh-edge-agent/docker/dockerd' },
  };
  updateOrder: UpdateOrder | undefined;
  updateDocument: UpdateDocument = {
    part: 'dockerd',
    dryRun: false,
    ok: true,
    phase: 'settled',
    from: { slot: 'image', path: '/system/opt/oh-edge-agent/docker/dockerd' },
    to: { slot: '27.5.1-0123456789ab', path: '/data/p/dockerd', version: '27.5.1' },
    notes: ['dockerd: aarch64, 64 bits, static', 'dockerd 27.5.1'],
    outcome: { reason: 'Confirmed', message: '27.5.1-0123456789ab has proved itself and stays' },
  };

  readonly parts = {
    list: () => Promise.resolve({ parts: [this.partView] }),
    update: async (_part: string, order: UpdateOrder): Promise<UpdateDocument> => {
      this.#failOnce();
      this.updateOrder = order;
      await this.gate;
      return { ...this.updateDocument, dryRun: order.isDryRun };
    },
    rollback: (): Promise<UpdateDocument> => {
      this.#failOnce();
      return Promise.resolve(this.updateDocument);
    },
  };

  version(): VersionDocument {
    return { wire: 1, version: '0.1.0', node: 'v22.0.0', platform: 'linux', arch: 'arm64' };
  }

  async plan(signal: AbortSignal): Promise<PlanDocument> {
    this.#failOnce();
    await this.gate;
    signal.throwIfAborted();
    return {
      strategy: { root: 'stock', cgroup: 'v1', reasons: ['the image has no /var'] },
      steps: this.steps,
    };
  }

  async apply(): Promise<ApplyDocument> {
    await this.gate;
    const applied = this.steps;
    this.steps = [];
    return { applied, left: [] };
  }

  undo(): Promise<ApplyDocument> {
    this.#failOnce();
    return Promise.resolve({ applied: [], left: [] });
  }

  doctor(): Promise<DoctorDocument> {
    const order = ['error', 'warning', 'info', 'ok'] as const;
    const worst = order.find((severity) => this.findings.some((one) => one.severity === severity)) ?? 'ok';
    return Promise.resolve({ worst, findings: this.findings });
  }

  startUnit(name: string): Promise<UnitStatus> {
    return this.#change(name, { wanted: 'up', phase: 'starting', reason: 'Asked' });
  }

  stopUnit(name: string): Promise<UnitStatus> {
    return this.#change(name, { wanted: 'down', phase: 'stopping', reason: 'Asked' });
  }

  restartAgent(): Promise<RestartDocument> {
    this.#failOnce();
    this.restarts += 1;
    return Promise.resolve({ pid: 99, startedAtMs: boardTimeMs - 3_600_000 });
  }

  restartUnit(name: string): Promise<UnitStatus> {
    return this.#change(name, { wanted: 'up', phase: 'stopping', reason: 'Asked' });
  }

  /** Adds a line as a unit would print it; followers get it at once. */
  print(unit: string, text: string, atMs = boardTimeMs): void {
    const line: LogLine = { atMs, unit, stream: 'out', text };
    this.lines.push(line);
    for (const reader of this.#readers) reader(line);
  }

  async *logs(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine> {
    if (query.unit !== 'agent') this.#unit(query.unit);
    const fits = (line: LogLine): boolean =>
      line.unit === query.unit &&
      line.atMs >= (query.sinceMs ?? 0) &&
      line.text.toLowerCase().includes((query.grep ?? '').toLowerCase());
    const queue = this.lines.filter(fits).slice(-(query.count ?? 100_000));
    if (query.isFollowing !== true) return yield* queue;
    let wake = (): void => undefined;
    const reader = (line: LogLine): void => {
      if (fits(line)) queue.push(line);
      wake();
    };
    this.#readers.add(reader);
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      yield* queue.splice(0);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    this.#readers.delete(reader);
  }

  /** How many readers follow a log now. */
  followers(): number {
    return this.#readers.size;
  }

  selftest(options: SelftestOptions): Promise<SelftestDocument> {
    this.asked.selftest = options;
    return Promise.resolve(this.selftestDocument);
  }

  shutdown(order: ShutdownOrder): Promise<ShutdownDocument> {
    this.asked.shutdown = order;
    return Promise.resolve({ orderly: this.killed.length === 0, killed: this.killed });
  }

  #unit(name: string): UnitStatus {
    const unit = this.units.get(name);
    if (unit !== undefined) return unit;
    const names = [...this.units.keys()].join(', ');
    throw new AgentError('UNIT_UNKNOWN', `Cannot find unit "${name}": want one of ${names}`);
  }

  #change(name: string, facts: Partial<UnitStatus>): Promise<UnitStatus> {
    try {
      this.#failOnce();
      this.#unit(name);
      const unit = this.setUnit(name, facts);
      this.board.record('unit.asked', { unit: name });
      return Promise.resolve(unit);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #failOnce(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }
}
