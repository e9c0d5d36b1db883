import type { LogQuery, OutputCapture, UnitLogLine, UnitLogs } from '../../agent/core/unit-logs.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';

/** Output of units in memory; a test writes it with `print`. */
export class FakeUnitLogs implements UnitLogs {
  readonly #lines = new Map<string, string[]>();
  readonly #lastMs = new Map<string, number>();
  /** Lines before the present life of a unit. */
  readonly #bornAt = new Map<string, number>();

  /** Bytes that the disk did not take. */
  droppedBytes = 0;
  /** What keeps pipes and files from being made, such as a full disk. */
  trouble: string | undefined;

  /** A unit says something at a monotonic instant. */
  print(unit: string, line: string, nowMs = 0): void {
    this.#lines.set(unit, [...(this.#lines.get(unit) ?? []), line]);
    this.#lastMs.set(unit, nowMs);
  }

  capture(unit: string): Promise<OutputCapture> {
    if (this.trouble !== undefined) return Promise.reject(new Error(this.trouble));
    return Promise.resolve({
      descriptors: { out: 1, err: 2 },
      beginLife: () => void this.#bornAt.set(unit, this.#lines.get(unit)?.length ?? 0),
      // As the host does it: much can happen between the end of a process and the moment in which it is dealt with.
      endLife: async (count) => {
        await nextTurn();
        await nextTurn();
        return this.#last(unit, count);
      },
      tail: (count) => this.#last(unit, count),
      lastOutputMs: () => this.#lastMs.get(unit) ?? -1,
      counts: () => ({ droppedBytes: this.droppedBytes }),
      close: () => Promise.resolve(),
    });
  }

  #last(unit: string, count: number): readonly string[] {
    return (this.#lines.get(unit) ?? []).slice(this.#bornAt.get(unit)).slice(-count);
  }

  async *lines(query: LogQuery): AsyncIterable<UnitLogLine> {
    for (const text of this.#lines.get(query.unit) ?? []) {
      yield await Promise.resolve({ atMs: 0, unit: query.unit, stream: 'out', text });
    }
  }
}
