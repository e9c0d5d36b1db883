import type { UnitStatus } from '../api/wire.ts';
import type { AfterTurn } from '../core/after-turn.ts';
import { isAbort, messageOf } from '../core/agent-error.ts';
import { type Ended, type RunningProcess, unitMark } from '../core/process.ts';
import type { OutputCapture } from '../core/unit-logs.ts';
import { type Fault, isFault, type Note, type UnitCommand, type UnitSpec } from '../core/unit-spec.ts';
import { within } from '../core/within.ts';
import { AdoptionRecords } from './adoption-record.ts';
import { CauseWatch } from './cause-watch.ts';
import { InstanceSearch } from './find-instance.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { ProbeKeeper } from './probe-keeper.ts';
import { dueAt, type Effect, initialState, type UnitEvent, type UnitState } from './state.ts';
import { step } from './step.ts';
import type { UnitPorts } from './unit-ports.ts';
import { UnitTeller } from './unit-teller.ts';
import { statusOf } from './unit-view.ts';

/** Last lines that an end is explained from: the first line of a Go panic comes before its stack, which may have a hundred. */
const keptLines = 200;

type Acts = {
  readonly [K in Effect['kind']]: (effect: Extract<Effect, { kind: K }>) => Promise<void> | void;
};

/** What all runners of a supervisor share. */
export interface RunnerOptions {
  readonly afterTurn: AfterTurn;
  readonly changed: () => void;
}

/** Performs what `step` decides for one unit, and tells it what happened; everybody else hears of it from the teller. */
export class UnitRunner {
  readonly spec: UnitSpec;
  readonly #ports: UnitPorts;
  readonly #records: AdoptionRecords;
  readonly #search: InstanceSearch;
  readonly #probes: ProbeKeeper;
  readonly #causes: CauseWatch;
  readonly #changed: () => void;
  readonly #afterTurn: AfterTurn;
  readonly #teller: UnitTeller;
  #state: UnitState = initialState;
  #capture: OutputCapture | undefined;
  #process: RunningProcess | undefined;
  #command: UnitCommand | undefined;
  #preparing: AbortController | undefined;
  #cancelDue: (() => void) | undefined;
  #filing: Promise<void> = Promise.resolve();
  #isDetached = false;
  #phaseAtMs: number;
  #starts = 0;

  /** `changed` is called after every transition. */
  constructor(spec: UnitSpec, ports: UnitPorts, { afterTurn, changed }: RunnerOptions) {
    this.spec = spec;
    this.#ports = ports;
    this.#afterTurn = afterTurn;
    this.#teller = new UnitTeller(spec, ports, afterTurn);
    this.#changed = changed;
    this.#records = new AdoptionRecords(ports.files, ports.recordDir);
    this.#search = new InstanceSearch(spec, ports, this.#records);
    this.#phaseAtMs = ports.clock.wallMs();
    this.#probes = new ProbeKeeper(spec, ports.clock, (pid, health) =>
      this.dispatch({ kind: 'probed', pid, health }),
    );
    this.#causes = new CauseWatch(spec.causes, ports, () => this.dispatch({ kind: 'cause-changed' }));
  }

  get state(): UnitState {
    return this.#state;
  }

  /** Opens the output and takes over a process that an earlier agent left. May be tried again where it failed. */
  async open(): Promise<void> {
    this.#capture ??= await this.#ports.logs.capture(this.spec.name);
    const found = await this.#search.find();
    if (found !== undefined && this.#process === undefined) this.#watch(found, 'adopted');
    this.#teller.show(this.#state);
  }

  /** Leaves the process running for the next agent and stops looking at it. */
  async detach(): Promise<void> {
    this.#isDetached = true;
    this.#afterTurn.flush();
    this.#preparing?.abort();
    this.#cancelDue?.();
    this.#probes.stop();
    this.#causes.stop();
    await this.#filing;
    await this.#capture?.close();
  }

  /** Lets the unit do what must precede SIGTERM when the machine goes down; never rejects and never takes longer than told. */
  async beforeShutdown(timeoutMs: number): Promise<void> {
    const prepare = this.spec.beforeShutdown?.bind(this.spec, timeoutMs);
    if (prepare === undefined || timeoutMs <= 0) return;
    await within(this.#ports.clock, timeoutMs, prepare).catch((error: unknown) => {
      this.#teller.note('unit.shutdown-hook-failed', { message: messageOf(error) });
    });
  }

  /** The only way in: one event, one transition, its effects. */
  dispatch(event: UnitEvent): void {
    if (this.#isDetached) return;
    const { clock, random } = this.#ports;
    const before = this.#state;
    const at = { nowMs: clock.nowMs(), chance: random() };
    const { next, effects } = step(before, event, at, this.spec.policy);
    this.#state = next;
    if (before.phase !== next.phase) this.#phaseAtMs = clock.wallMs();
    this.#teller.stepped(before, next, event.kind);
    this.#afterTurn.push(() => this.#follow());
    for (const effect of effects) this.#perform(effect);
    this.#arm();
    this.#changed();
  }

  /** Lets probes follow the state as it is by now: to end the old one costs more than a fork can wait. */
  #follow(): void {
    if (this.#isDetached) return;
    this.#probes.follow(this.#state);
    this.#causes.follow(this.#state);
  }

  /** `awaited` is what keeps the supervision from beginning. */
  status(awaited?: Note): UnitStatus {
    return statusOf(this.spec.name, this.#state, {
      isAdopted: this.#process?.isAdopted ?? false,
      sinceMs: this.#phaseAtMs,
      wallOffsetMs: this.#ports.clock.wallMs() - this.#ports.clock.nowMs(),
      starts: this.#starts,
      lastEnd: this.#teller.lastEnd,
      droppedBytes: this.#capture?.counts().droppedBytes ?? 0,
      idle: this.spec.dormancy?.() ?? awaited,
    });
  }

  #arm(): void {
    this.#cancelDue?.();
    this.#cancelDue = undefined;
    const when = dueAt(this.#state, this.spec.policy);
    if (when === undefined) return;
    const delay = Math.max(0, Math.ceil(when - this.#ports.clock.nowMs()));
    this.#cancelDue = this.#ports.clock.after(delay, () => this.#due());
  }

  #due(): void {
    const state = this.#state;
    const atMs = this.#capture?.lastOutputMs() ?? -1;
    if (state.phase === 'starting' && atMs > state.progressAt) {
      this.dispatch({ kind: 'progressed', pid: state.pid, atMs });
    }
    this.dispatch({ kind: 'due' });
  }

  readonly #acts: Acts = {
    prepare: () => this.#prepare(),
    'cancel-prepare': () => this.#preparing?.abort(),
    spawn: () => this.#spawn(),
    wake: ({ pid }) => this.#wake(pid),
    aid: (effect) => this.#aid(effect),
    'gather-evidence': (effect) => this.#gather(effect),
    signal: ({ pid, signal }) => {
      const isSent = this.#process?.identity.pid === pid && this.#process.signal(signal);
      // A process that a signal had stopped could not act on SIGTERM otherwise.
      if (isSent && signal === 'SIGTERM') this.#process?.signal('SIGCONT');
      this.#teller.note('unit.signalled', { pid, signal, isSent });
    },
  };

  #perform(effect: Effect): void {
    const act = this.#acts[effect.kind] as (effect: Effect) => Promise<void> | void;
    void act(effect);
  }

  async #prepare(): Promise<void> {
    const abort = new AbortController();
    this.#preparing = abort;
    let outcome: UnitCommand | Fault;
    try {
      outcome = await this.spec.prepare(abort.signal);
    } catch (error) {
      const message = isAbort(error) ? 'Preparation was interrupted' : messageOf(error);
      outcome = { reason: 'PrepareFailed', message, isPermanent: false };
    }
    this.#preparing = undefined;
    if (!isFault(outcome)) this.#command = outcome;
    const fault = isFault(outcome) ? outcome : undefined;
    this.dispatch({ kind: 'prepared', fault, isCancelled: abort.signal.aborted });
  }

  async #spawn(): Promise<void> {
    const found = this.#search.isDone ? undefined : await this.#search.find().catch(() => 'unknown' as const);
    if (found === 'unknown') return this.#refused('not-open');
    if (found !== undefined) return this.#watch(found, 'spawned');
    const command = this.#command;
    const output = this.#capture?.descriptors;
    if (command === undefined || output === undefined) {
      this.#refused('not-open');
      return;
    }
    const env = { ...command.env, [unitMark]: this.spec.name };
    this.#capture?.beginLife();
    const result = await this.#ports.processes.spawn({ ...command, env, output });
    if (!result.ok) {
      this.#refused(result.errno);
      return;
    }
    this.#starts += 1;
    this.#watch(result.process, 'spawned');
  }

  #refused(errno: string): void {
    const ended: Ended = { how: 'spawn-failed', errno };
    this.#teller.ended(ended, []);
    this.dispatch({ kind: 'spawn-refused', fault: this.spec.explain(ended, []) });
  }

  #watch(running: RunningProcess, kind: 'adopted' | 'spawned'): void {
    this.#process = running;
    const { pid } = running.identity;
    const startedAtMs = this.#ports.clock.wallMs();
    this.#file(() => this.#records.write(this.spec.name, { identity: running.identity, startedAtMs }));
    this.#teller.note(running.isAdopted ? 'unit.adopted' : 'unit.spawned', { pid });
    void running.ended.then(async (ended) => this.#ended(running, ended));
    this.dispatch({ kind, pid });
  }

  async #ended(running: RunningProcess, ended: Ended): Promise<void> {
    const lines = (await this.#capture?.endLife(keptLines)) ?? [];
    if (this.#isDetached) return;
    this.#process = undefined;
    this.#teller.ended(ended, lines);
    const fault = this.spec.explain(ended, lines);
    this.dispatch({ kind: 'ended', pid: running.identity.pid, fault });
    if (this.#state.phase === 'down') this.#file(() => this.#records.remove(this.spec.name));
  }

  async #wake(pid: number): Promise<void> {
    const running = this.#process;
    if (running?.identity.pid !== pid) return;
    const facts = await this.#ports.processes.facts(pid).catch(() => undefined);
    if (facts?.state !== 'T' || !running.signal('SIGCONT')) return;
    this.#teller.note('unit.resumed', { pid });
    this.dispatch({ kind: 'resumed', pid });
  }

  async #aid({ pid, note }: Extract<Effect, { kind: 'aid' }>): Promise<void> {
    const { clock } = this.#ports;
    const running = this.#process;
    if (running?.identity.pid !== pid) return;
    const aid = this.spec.aid?.bind(this.spec, note, running.identity);
    if (aid === undefined) return;
    const tooLateMs = this.spec.policy.aidMs ?? 0;
    const done = await within(clock, tooLateMs, aid).catch((error: unknown) => [messageOf(error)]);
    if (done.length > 0) this.#teller.note('unit.aided', { pid, reason: note.reason, done });
  }

  async #gather({ pid, why }: Extract<Effect, { kind: 'gather-evidence' }>): Promise<void> {
    const running = this.#process;
    if (running?.identity.pid !== pid) return;
    const { lines, isResumed } = await gatherEvidence(running, this.spec, this.#ports);
    const kept = [...lines, ...(this.#capture?.tail(10) ?? [])].slice(0, 80);
    this.#teller.note('unit.evidence', {
      pid,
      reason: why.reason,
      message: why.message,
      isResumed,
      lines: kept,
    });
    this.dispatch({ kind: 'evidence-gathered', pid, isResumed });
  }

  /** Record files are written one after another; a full disk costs adoption by record, never supervision. */
  #file(act: () => Promise<void>): void {
    this.#filing = this.#filing.then(act).catch((error: unknown) => {
      this.#ports.log.warn('unit.record-failed', { unit: this.spec.name, error });
    });
  }
}
