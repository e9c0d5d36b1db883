import { isAbort, messageOf } from '../core/agent-error.ts';
import type { Note } from '../core/unit-spec.ts';
import type { PartPhase, PartRecord } from './part-record.ts';
import { type PartName, partKinds } from './part-table.ts';
import { giveUp, settle } from './recover.ts';
import type { Story } from './story.ts';
import { agentSight, beginTrial, judge, type Sight, unitSight, worstSight } from './trial.ts';
import { swapProcess, unitOf } from './unit-swap.ts';
import type { PartLimits, UpdaterPorts } from './updater-ports.ts';

/** How a trial ended, or how far it is where nobody can tell yet. */
export interface Ending extends Note {
  readonly isGood: boolean;
  readonly phase: PartPhase;
}

/** What a trial changes. */
export interface TrialHooks {
  record(): PartRecord;
  /** Writes the record; resolves when it survives a power cut. */
  save(record: PartRecord): Promise<void>;
  restartAgent(): void;
  readonly story: Story;
}

/** Milliseconds between two looks. */
const lookMs = 250;
/** Milliseconds between two tries of what has to be done in the end, e.g. on a disk that is full. */
const againMs = 10_000;
/** Milliseconds in which nobody can tell, after which the asker is answered and the trial goes on without him. */
const patienceMs = 5_000;

/** Lets one part prove itself, or takes it back. Every step is in the record before it is done, so any agent can go on. */
export class PartTrial {
  readonly ended: Promise<void>;
  /** The ending; earlier where the unit rests and nobody knows for how long. */
  readonly answer: Promise<Ending>;
  readonly #part: PartName;
  readonly #limits: PartLimits;
  readonly #ports: UpdaterPorts;
  readonly #hooks: TrialHooks;
  readonly #byHand = new AbortController();
  #answer: (ending: Ending) => void = () => undefined;
  #end: () => void = () => undefined;
  readonly #hindered: Promise<void>;
  #tellHindered: () => void = () => undefined;
  #restingSinceMs: number | undefined;

  constructor(part: PartName, limits: PartLimits, ports: UpdaterPorts, hooks: TrialHooks) {
    this.#part = part;
    this.#limits = limits;
    this.#ports = ports;
    this.#hooks = hooks;
    this.answer = new Promise((resolve) => {
      this.#answer = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#hindered = new Promise((resolve) => {
      this.#tellHindered = resolve;
    });
  }

  /** Begins or goes on where the record says; never rejects, and leaves the record as it is when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      this.#answer(await this.#work(signal));
    } catch (error) {
      const message = messageOf(error);
      if (!isAbort(error)) this.#hooks.story.stuck(this.#part, message);
      const { phase } = this.#hooks.record();
      const reason = isAbort(error) ? 'Interrupted' : 'Stuck';
      this.#answer({ isGood: false, phase, reason, message });
    } finally {
      this.#end();
    }
  }

  /** Takes the change back although nothing is known against it. */
  async takeBack(message: string): Promise<Ending> {
    this.#byHand.abort({ reason: 'ByHand', message } satisfies Note);
    await Promise.race([this.ended, this.#hindered]);
    return this.answer;
  }

  async #work(signal: AbortSignal): Promise<Ending> {
    if (this.#hooks.record().phase === 'reverting') return this.#finishReverting(signal);
    const fault = await this.#prove(AbortSignal.any([signal, this.#byHand.signal])).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
        const byHand = this.#byHand.signal;
        return byHand.aborted
          ? (byHand.reason as Note)
          : { reason: 'CannotSwitch', message: messageOf(error) };
      },
    );
    return fault === undefined ? this.#keep(signal) : this.#revert(fault, signal);
  }

  /** Resolves with what is wrong, or with nothing once the part has proved itself. */
  async #prove(signal: AbortSignal): Promise<Note | undefined> {
    const { clock } = this.#ports;
    if (this.#hooks.record().phase === 'switching') {
      if (this.#part !== 'agent') await this.#swap(signal);
      await this.#hooks.save({ ...this.#hooks.record(), phase: 'watching' });
    }
    let state = beginTrial(clock.nowMs());
    for (;;) {
      const sight = this.#look();
      const verdict = judge(state, sight, clock.nowMs(), this.#limits);
      if (verdict.kind === 'good') return undefined;
      if (verdict.kind === 'bad') return verdict;
      state = verdict.next;
      this.#answerWhereResting(sight);
      await clock.sleep(lookMs, signal);
    }
  }

  #look(): Sight {
    const { goal } = this.#hooks.record();
    if (this.#part === 'agent') return agentSight(this.#ports.board.conditions(), goal);
    const all = this.#ports.units();
    const units = partKinds[this.#part].units.map((name) => unitOf(all, name));
    const known = units.filter((unit) => unit !== undefined);
    return worstSight(known.map((unit) => unitSight(unit, goal)));
  }

  #answerWhereResting({ state, message }: Sight): void {
    const now = this.#ports.clock.nowMs();
    this.#restingSinceMs = state === 'resting' ? (this.#restingSinceMs ?? now) : undefined;
    if (this.#restingSinceMs === undefined || now - this.#restingSinceMs < patienceMs) return;
    const told = `It is in place and has to prove itself when it runs; now: ${message}`;
    this.#answer({ isGood: true, phase: 'watching', reason: 'Resting', message: told });
  }

  /** Tries until it is done: a part must not stay halfway because a disk was full for a minute. */
  async #insist(act: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (signal.aborted) throw error;
        const message = messageOf(error);
        this.#hooks.story.stuck(this.#part, message);
        this.#answer({ isGood: false, phase: this.#hooks.record().phase, reason: 'Stuck', message });
        this.#tellHindered();
        await this.#ports.clock.sleep(againMs, signal);
      }
    }
  }

  async #keep(signal: AbortSignal): Promise<Ending> {
    const record = settle(this.#hooks.record());
    await this.#insist(() => this.#hooks.save(record), signal);
    this.#hooks.story.confirmed(this.#part, record.current);
    const message = `${record.current} has proved itself and stays`;
    return { isGood: true, phase: 'settled', reason: 'Confirmed', message };
  }

  async #revert({ reason, message }: Note, signal: AbortSignal): Promise<Ending> {
    const { clock } = this.#ports;
    const before = this.#hooks.record();
    const lines = unitOf(this.#ports.units(), this.#part)?.lastEnd?.lines ?? [];
    const next = giveUp(before, { reason, message, nowMs: clock.wallMs(), phase: 'reverting' });
    await this.#insist(() => this.#hooks.save(next), signal);
    this.#hooks.story.takenBack(this.#part, before.current, { reason, message, to: next.current, lines });
    await this.#finishReverting(signal);
    return { isGood: false, phase: this.#hooks.record().phase, reason, message };
  }

  async #finishReverting(signal: AbortSignal): Promise<Ending> {
    const ending = (phase: PartPhase): Ending => {
      const { rejected } = this.#hooks.record();
      return {
        isGood: false,
        phase,
        reason: rejected?.reason ?? 'TakenBack',
        message: rejected?.message ?? '',
      };
    };
    if (this.#part === 'agent') {
      this.#hooks.restartAgent();
      return ending('reverting');
    }
    await this.#insist(async () => {
      await this.#swap(signal);
      await this.#hooks.save({ ...this.#hooks.record(), phase: 'settled' });
    }, signal);
    return ending('settled');
  }

  async #swap(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    const swap = { units: this.#ports.units(), clock, stopMs: this.#limits.stopMs };
    for (const name of partKinds[this.#part].units) await swapProcess(name, swap, signal);
  }
}
