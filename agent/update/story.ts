import type { Log } from '../core/log.ts';
import type { Note } from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import type { PartRecord, Slot } from './part-record.ts';
import type { PartName } from './part-table.ts';

const condition = 'PartsSettled';

/** Tells the board and the log what happens to parts; the ledger listens to the board. */
export class Story {
  readonly #board: HealthBoard;
  readonly #log: Log;

  constructor(board: HealthBoard, log: Log) {
    this.#board = board;
    this.#log = log;
  }

  switched(part: PartName, from: Slot, to: Slot): void {
    this.#note('part.switched', {
      part,
      from,
      to,
      reason: 'Switched',
      message: `${part} goes from ${from} to ${to} and is on trial`,
    });
  }

  confirmed(part: PartName, slot: Slot): void {
    const message = `${part} ${slot} has proved itself and stays`;
    this.#note('part.confirmed', { part, slot, reason: 'Confirmed', message });
  }

  /** Evidence goes along as the unit's last lines. */
  takenBack(
    part: PartName,
    from: Slot,
    facts: Note & { readonly to: Slot; readonly lines?: readonly string[] },
  ): void {
    const { reason, to, lines = [] } = facts;
    const message = `${part} ${from} was taken back, ${to} is used: ${facts.message}`;
    this.#note('part.taken-back', { part, unit: part, from, to, reason, message, lines });
  }

  stuck(part: PartName, message: string): void {
    this.#note('part.stuck', { part, reason: 'Stuck', message });
    this.#board.set(condition, 'false', { reason: 'Stuck', message: `${part}: ${message}` });
  }

  broken(part: PartName, aside: string): void {
    const message = `The record of ${part} was unreadable and was set aside as ${aside}; what is in use stays`;
    this.#note('part.record-broken', { part, reason: 'RecordBroken', message });
  }

  /** The condition is on the board only where a part was ever changed; a part that was taken back is no fault of the board. */
  show(parts: readonly { readonly part: PartName; readonly record: PartRecord }[]): void {
    const touched = parts.filter(({ record }) => record.sinceMs > 0 || record.rejected !== undefined);
    if (touched.length === 0) return;
    const message = touched.map(describe).join('; ');
    if (touched.some(({ record }) => record.phase !== 'settled')) {
      this.#board.set(condition, 'unknown', { reason: 'OnTrial', message });
      return;
    }
    const isRejected = touched.some(({ record }) => isLatest(record));
    this.#board.set(condition, 'true', { reason: isRejected ? 'TakenBack' : 'Settled', message });
  }

  #note(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#board.record(event, fields);
    this.#log.info(event, fields);
  }
}

/** Whether the last thing that happened to the part was that a change was taken back. */
function isLatest({ rejected, sinceMs }: PartRecord): boolean {
  return rejected !== undefined && rejected.atMs >= sinceMs;
}

function describe({ part, record }: { readonly part: PartName; readonly record: PartRecord }): string {
  const { current, phase, rejected } = record;
  const trial = phase === 'settled' ? '' : ` (${phase})`;
  const past =
    rejected !== undefined && isLatest(record)
      ? `, ${rejected.slot} was taken back: ${rejected.reason}: ${rejected.message}`
      : '';
  return `${part} is ${current}${trial}${past}`;
}
