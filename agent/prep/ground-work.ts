import type { ApplyDocument, PlanDocument, PrepStatus, StepView } from '../api/wire.ts';
import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { GroundExecutor, GroundNews, GroundObserver, GroundWatch } from '../core/ground.ts';
import type { ObservedGround } from '../core/ground-observed.ts';
import type { GroundStep } from '../core/ground-step.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from '../health/board.ts';
import { postConditions } from './ground-conditions.ts';
import { type GroundRecord, RecordKeeper } from './ground-record.ts';
import { lookAtGround } from './look.ts';
import { LookRhythm } from './look-rhythm.ts';
import { type GroundPlan, planGround } from './plan.ts';
import { planDocument, stepView } from './plan-document.ts';
import type { GroundSettings } from './settings.ts';
import { StepFailures } from './step-failures.ts';
import { planUndo } from './undo-plan.ts';
import { unitEnvironment } from './unit-environment.ts';

/** What the ground work is made of. */
export interface GroundParts {
  readonly settings: GroundSettings;
  readonly observer: GroundObserver;
  readonly executor: GroundExecutor;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly clock: Clock;
  readonly files: Files;
}

const maxRounds = 3;

type Planner = (observed: ObservedGround, settings: GroundSettings, record: GroundRecord) => GroundPlan;

/**
 * Keeps the ground as it is to be: looks, plans, does, looks again. What the kernel tells of is found within a second or so,
 * the rest by comparing a few files of /proc with what they were; where the kernel tells nothing, within `prep.intervalMs`.
 */
export class GroundWork {
  readonly #parts: GroundParts;
  readonly #failures = new StepFailures();
  readonly #record: RecordKeeper;
  readonly #rhythm: LookRhythm;
  /** Wanted things that were seen fulfilled: a step for one of them is a repair. */
  readonly #seenMet = new Set<string>();
  readonly #stopped = new AbortController();
  #queue: Promise<unknown> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();
  #observed: ObservedGround | undefined;
  #plan: GroundPlan | undefined;
  #isPrepared = false;
  #wasPrepared = false;
  #repairs = 0;
  #lastRepair: PrepStatus['lastRepair'];
  #fingerprint = '';
  #isUndone = false;
  #isDirty = false;
  #whenPrepared: (() => void)[] = [];

  constructor(parts: GroundParts) {
    this.#parts = parts;
    this.#rhythm = new LookRhythm(parts.clock, parts.settings.intervalMs);
    this.#record = new RecordKeeper(parts.files, `${parts.settings.home}/state/ground.json`);
  }

  /** Does the first pass, whatever comes of it, and then keeps looking until stopped. */
  async start(signal: AbortSignal): Promise<void> {
    const whileRunning = { once: true, signal: this.#stopped.signal };
    signal.addEventListener('abort', () => this.#stopped.abort(signal.reason), whileRunning);
    await this.applyNow().catch((error: unknown) =>
      this.#parts.log.error('ground.failed', { message: messageOf(error) }),
    );
    this.#loop = this.#run();
  }

  /** Ends the loop and waits for the pass that is under way. */
  async stop(): Promise<void> {
    this.#stopped.abort(new DOMException('The ground work was stopped', 'AbortError'));
    this.#rhythm.end();
    await this.#loop;
    await this.#queue;
  }

  /** Resolves as soon as everything is there that the units need. */
  async prepared(signal: AbortSignal): Promise<void> {
    if (this.#isPrepared) return;
    await new Promise<void>((resolve, reject) => {
      this.#whenPrepared.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  status(): PrepStatus {
    return {
      strategy: this.#plan === undefined ? undefined : planDocument(this.#plan).strategy,
      isPrepared: this.#isPrepared,
      repairs: this.#repairs,
      ...(this.#lastRepair === undefined ? {} : { lastRepair: this.#lastRepair }),
    };
  }

  /** What would be done now; changes nothing. */
  async plan(signal: AbortSignal): Promise<PlanDocument> {
    this.#parts.observer.forget();
    const observed = await lookAtGround(this.#parts.observer, this.#parts.settings, signal);
    const record = await this.#record.load(observed.bootId);
    return planDocument(planGround(observed, this.#parts.settings, record));
  }

  /** Does at once what is to do, things that failed before included. Takes an `undo` back. */
  applyNow(): Promise<ApplyDocument> {
    return this.#exclusive(() => {
      this.#isUndone = false;
      this.#failures.clear();
      this.#parts.observer.forget();
      return this.#pass(planGround);
    });
  }

  /** Takes back what reaches beyond our mount namespace, and leaves the ground alone until `applyNow`. */
  undo(): Promise<ApplyDocument> {
    return this.#exclusive(async () => {
      this.#isUndone = true;
      this.#failures.clear();
      this.#parts.observer.forget();
      const done = await this.#pass(planUndo);
      if (done.left.length === 0) await this.#record.clear();
      return done;
    });
  }

  /** The last whole look; undefined before the first. */
  observed(): ObservedGround | undefined {
    return this.#observed;
  }

  /** Variables for every unit. */
  unitEnvironment(): Readonly<Record<string, string>> {
    return unitEnvironment(this.#parts.settings, this.#observed);
  }

  /** One pass at a time: the loop, the API and a start never act on the same look. */
  #exclusive<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(act, act);
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #run(): Promise<void> {
    const watch = this.#parts.observer.watch((news) => this.#hear(news));
    try {
      while (!this.#stopped.signal.aborted) {
        await this.#rhythm.rest(this.#isPrepared && watch.isLive());
        if (this.#stopped.signal.aborted || this.#isUndone || this.#isQuiet(watch)) continue;
        await this.#exclusive(() => this.#pass(planGround)).catch((error: unknown) =>
          this.#lookFailed(error),
        );
      }
    } finally {
      watch.close();
    }
  }

  /** Rules are in no file that could be compared, mounts are. */
  #hear(news: GroundNews): void {
    if (news === 'network') this.#isDirty = true;
    this.#rhythm.wake();
  }

  #isQuiet(watch: GroundWatch): boolean {
    if (this.#isDirty || !this.#isPrepared || !watch.isLive()) return false;
    if (this.#rhythm.isLookDue()) return false;
    return this.#parts.observer.fingerprint() === this.#fingerprint;
  }

  #lookFailed(error: unknown): void {
    if (isAbort(error)) return;
    const message = messageOf(error);
    this.#isPrepared = false;
    this.#parts.board.set('Prepared', 'unknown', { reason: 'LookFailed', message });
  }

  async #pass(planner: Planner): Promise<ApplyDocument> {
    const signal = this.#stopped.signal;
    const applied: StepView[] = [];
    let plan = await this.#look(planner, signal);
    for (let round = 0; round < maxRounds; round += 1) {
      const due = plan.steps.filter((step) => !this.#failures.isHeldBack(step, this.#parts.clock.nowMs()));
      if (due.length === 0) break;
      const isDone = await this.#doAll(due, applied, signal);
      this.#parts.observer.forget();
      plan = await this.#look(planner, signal);
      if (!isDone) break;
    }
    this.#conclude(plan);
    return { applied, left: plan.steps.map(stepView) };
  }

  async #look(planner: Planner, signal: AbortSignal): Promise<GroundPlan> {
    const { observer, settings } = this.#parts;
    this.#isDirty = false;
    this.#rhythm.look();
    this.#fingerprint = observer.fingerprint();
    this.#observed = await lookAtGround(observer, settings, signal);
    const plan = planner(this.#observed, settings, await this.#record.load(this.#observed.bootId));
    for (const { step, isMet } of plan.wanted) if (isMet) this.#seenMet.add(step.id);
    return plan;
  }

  /** Later steps rest on earlier ones, so the first failure of a required step ends the round. */
  async #doAll(steps: readonly GroundStep[], applied: StepView[], signal: AbortSignal): Promise<boolean> {
    for (const step of steps) {
      try {
        await this.#note(step);
        await this.#parts.executor.execute(step, signal);
        this.#applied(step);
        applied.push(stepView(step));
      } catch (error) {
        if (isAbort(error)) throw error;
        this.#failed(step, messageOf(error));
        if (step.isOptional !== true) return false;
      }
    }
    return true;
  }

  #applied(step: GroundStep): void {
    const { board, log, clock } = this.#parts;
    this.#failures.delete(step.id);
    const isRepair = this.#wasPrepared && this.#seenMet.has(step.id);
    const { id, what, why } = step;
    if (isRepair) {
      this.#repairs += 1;
      this.#lastRepair = { atMs: clock.wallMs(), what };
    }
    log.info('step.applied', { id, what, isRepair });
    board.record('step.applied', { id, what, why, isRepair });
  }

  /** A full disk must not keep the board from being prepared; then `undo` knows less. */
  async #note(step: GroundStep): Promise<void> {
    if (this.#observed === undefined || this.#isUndone) return;
    try {
      await this.#record.note(step, this.#observed);
    } catch (error) {
      this.#parts.log.warn('ground.record.failed', { message: messageOf(error) });
    }
  }

  #failed(step: GroundStep, message: string): void {
    const { board, log, clock } = this.#parts;
    if (!this.#failures.add(step, message, clock.nowMs())) return;
    log.warn('step.failed', { id: step.id, message });
    board.record('step.failed', { id: step.id, message });
  }

  #conclude(plan: GroundPlan): void {
    this.#plan = plan;
    const observed = this.#observed;
    if (observed === undefined) return;
    this.#failures.keepOnly(new Set(plan.steps.map((step) => step.id)));
    if (this.#isUndone) {
      this.#isPrepared = false;
      this.#parts.board.set('Prepared', 'false', {
        reason: 'Undone',
        message: 'The ground work was taken back; "agentctl apply" does it again',
      });
      return;
    }
    const failures = this.#failures.messages();
    this.#isPrepared = postConditions(this.#parts.board, this.#parts.settings, { observed, plan, failures });
    if (!this.#isPrepared) return;
    this.#wasPrepared = true;
    for (const resolve of this.#whenPrepared.splice(0)) resolve();
  }
}
