import type { Clock } from '../../agent/core/clock.ts';
import { sleepBy } from '../../test/fakes/fake-clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/** Timers so close together, in milliseconds, fire before anybody waits for the sockets: 10,000 boards share one machine. */
const togetherMs = 20;

/**
 * One clock for a whole fleet: it stands still while real sockets are busy, so that rates do not depend on how fast this
 * machine is, and hours of ten thousand boards take minutes.
 */
export class VirtualClock implements Clock {
  readonly #settle: () => Promise<void>;
  readonly #heap: Timer[] = [];
  #nowMs = 0;
  #order = 0;

  /** `settle` resolves when nothing is under way on any socket. */
  constructor(settle: () => Promise<void>) {
    this.#settle = settle;
  }

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return sleepBy(this, ms, signal);
  }

  after(ms: number, callback: () => void): () => void {
    this.#order += 1;
    const timer: Timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order, fire: callback };
    push(this.#heap, timer);
    return () => {
      timer.fire = undefined;
    };
  }

  /** Lets time pass; every timer that becomes due fires in its turn, also those set on the way. */
  async advance(ms: number): Promise<void> {
    const targetMs = this.#nowMs + ms;
    await this.#settle();
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= targetMs; first = this.#heap[0]) {
      const untilMs = Math.min(targetMs, first.dueMs + togetherMs);
      for (
        let next: Timer | undefined = first;
        next !== undefined && next.dueMs <= untilMs;
        next = this.#heap[0]
      ) {
        pop(this.#heap);
        this.#nowMs = Math.max(this.#nowMs, next.dueMs);
        next.fire?.();
      }
      await this.#settle();
    }
    this.#nowMs = targetMs;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}

/** A binary heap: a list that is sorted anew for each of 10,000 timers would be what is measured. */
function push(heap: Timer[], timer: Timer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!isBefore(timer, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const right = left + 1;
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left;
    if (!isBefore(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}
