import type { Clock } from '../core/clock.ts';
import { type AgentEvent, type Condition, type ConditionStatus, isGood } from './condition.ts';
import { type Summary, summarize } from './summary.ts';

export { isGood } from './condition.ts';

/** Facts of a condition besides its type and status. */
export interface ConditionFacts {
  readonly reason: string;
  readonly message: string;
  readonly causedBy?: string;
}

type Listener = (event: AgentEvent) => void;

/** Longest message in bytes that a Kubernetes node condition of ours carries. */
const maxMessageLength = 1024;
const keptEvents = 500;
/** Milliseconds by which the wall clock must have left the monotonic one between two looks; less is adjusted all the time. */
const jumpMs = 2_000;

/**
 * Board of conditions and the bounded memory of events. Rooms write facts, everybody else reads; readiness is derived
 * and stored nowhere.
 */
export class HealthBoard {
  readonly #clock: Clock;
  readonly #conditions = new Map<string, Condition>();
  /** Monotonic milliseconds of the last change of each status: the wall clock jumps, a debounce must not. */
  readonly #changedMs = new Map<string, number>();
  /** Types that were good before: only those can flicker, and only a flicker is hidden. */
  readonly #wasGood = new Set<string>();
  readonly #listeners = new Set<Listener>();
  readonly #events: AgentEvent[] = [];
  #sequence = 0;
  /** Wall clock minus monotonic one at the last look. */
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.nowMs();
  }

  /** Sets a condition; an event is recorded when status or reason changes, never for a repetition. */
  set(type: string, status: ConditionStatus, facts: ConditionFacts): void {
    this.#followClock();
    const before = this.#conditions.get(type);
    const atMs = this.#clock.wallMs();
    const sinceMs = before?.status === status ? before.sinceMs : atMs;
    const message = facts.message.slice(0, maxMessageLength);
    if (before?.status !== status) this.#changedMs.set(type, this.#clock.nowMs());
    this.#conditions.set(type, { ...facts, type, status, message, sinceMs, probedAtMs: atMs });
    if (isGood({ type, status })) this.#wasGood.add(type);
    if (before?.status === status && before.reason === facts.reason) return;
    this.record('condition.changed', { type, status, reason: facts.reason, message });
  }

  /** Takes a condition off the board, e.g. when its feature is switched off. */
  clear(type: string): void {
    this.#changedMs.delete(type);
    this.#wasGood.delete(type);
    if (this.#conditions.delete(type)) this.record('condition.cleared', { type });
  }

  /** One condition, or undefined where nobody has said anything yet. */
  get(type: string): Condition | undefined {
    this.#followClock();
    return this.#conditions.get(type);
  }

  /** All conditions, sorted by type. */
  conditions(): readonly Condition[] {
    this.#followClock();
    // Not localeCompare(): the first use of it reads ICU's tables, 10 ms and 1 MB for nothing.
    return [...this.#conditions.values()].sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  /** What people should see: causes without their consequences, nothing that may be gone in a moment. */
  summary(): Summary {
    const now = this.#clock.nowMs();
    return summarize(
      this.conditions().map((condition) => ({
        condition,
        ageMs: this.#wasGood.has(condition.type)
          ? now - (this.#changedMs.get(condition.type) ?? now)
          : Infinity,
      })),
    );
  }

  /** Types that have been good at any moment since they came onto this board, however short. */
  seenGood(): ReadonlySet<string> {
    return this.#wasGood;
  }

  /** Number of the newest event; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Derived: every condition on the board is good, and there is at least one. */
  isReady(): boolean {
    const all = [...this.#conditions.values()];
    return all.length > 0 && all.every(isGood);
  }

  /** Remembers that something happened and tells the watchers. */
  record(event: string, fields: Readonly<Record<string, unknown>>): AgentEvent {
    this.#sequence += 1;
    const entry: AgentEvent = { sequence: this.#sequence, atMs: this.#clock.wallMs(), event, fields };
    this.#events.push(entry);
    if (this.#events.length > keptEvents) this.#events.shift();
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  /** Remembered events after a sequence number, oldest first. */
  eventsAfter(sequence: number): readonly AgentEvent[] {
    return this.#events.filter((entry) => entry.sequence > sequence);
  }

  /** A board without a battery starts in 1970: what was seen before the clock was set happened as long ago as it is. */
  #followClock(): void {
    const offsetMs = this.#clock.wallMs() - this.#clock.nowMs();
    const byMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(byMs) < jumpMs) return;
    for (const [type, condition] of this.#conditions) {
      const { sinceMs, probedAtMs } = condition;
      this.#conditions.set(type, { ...condition, sinceMs: sinceMs + byMs, probedAtMs: probedAtMs + byMs });
    }
  }

  /** Calls the listener for each event from now on; the returned function ends it. */
  watch(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
