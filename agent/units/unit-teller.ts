import type { UnitStatus } from '../api/wire.ts';
import type { AfterTurn } from '../core/after-turn.ts';
import type { Ended } from '../core/process.ts';
import type { UnitSpec } from '../core/unit-spec.ts';
import { pidOf, type UnitEvent, type UnitState } from './state.ts';
import type { UnitPorts } from './unit-ports.ts';
import { conditionOf, howText, noteOf } from './unit-view.ts';

interface End {
  readonly ended: Ended;
  readonly lines: readonly string[];
  /** Wall clock in milliseconds. */
  readonly atMs: number;
}

/**
 * Tells the board and the log what happens to one unit, in order and when the turn of the event loop is over: between the
 * end of a process and the fork of its successor nothing is done that can wait.
 */
export class UnitTeller {
  readonly #spec: UnitSpec;
  readonly #ports: Pick<UnitPorts, 'board' | 'log' | 'clock'>;
  readonly #afterTurn: AfterTurn;
  #end: End | undefined;

  constructor(spec: UnitSpec, ports: Pick<UnitPorts, 'board' | 'log' | 'clock'>, afterTurn: AfterTurn) {
    this.#spec = spec;
    this.#ports = ports;
    this.#afterTurn = afterTurn;
  }

  /** How the last process ended, known before it is told; undefined before the first end. */
  get lastEnd(): UnitStatus['lastEnd'] {
    const end = this.#end;
    return end === undefined ? undefined : { atMs: end.atMs, ...shown(end) };
  }

  /** Tells an event of this unit. */
  note(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#afterTurn.push(() => this.#say(event, fields));
  }

  /** Tells of an end, and remembers it with its last lines. */
  ended(ended: Ended, lines: readonly string[]): void {
    const end = { ended, lines, atMs: this.#ports.clock.wallMs() };
    this.#end = end;
    this.#afterTurn.push(() => this.#say('unit.ended', shown(end)));
  }

  /** Tells of a new phase, if it is one, and shows the state. */
  stepped(before: UnitState, next: UnitState, cause: UnitEvent['kind']): void {
    this.#afterTurn.push(() => {
      if (before.phase !== next.phase) this.#sayPhase(before, next, cause);
      this.#show(next);
    });
  }

  /** Sets the condition of the unit. */
  show(state: UnitState): void {
    this.#afterTurn.push(() => this.#show(state));
  }

  #sayPhase(before: UnitState, next: UnitState, cause: UnitEvent['kind']): void {
    const { name } = this.#spec;
    const { reason, message } = noteOf(name, next);
    const fields = { unit: name, from: before.phase, to: next.phase, reason, pid: pidOf(next) };
    this.#ports.board.record('unit.changed', { ...fields, message });
    this.#ports.log.info('unit.changed', { ...fields, cause });
  }

  #show(state: UnitState): void {
    const { name, condition } = this.#spec;
    if (this.#spec.dormancy?.() !== undefined && pidOf(state) === undefined) {
      this.#ports.board.clear(condition);
      return;
    }
    const { status, facts } = conditionOf(name, state);
    this.#ports.board.set(condition, status, facts);
  }

  #say(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#ports.board.record(event, { unit: this.#spec.name, ...fields });
    this.#ports.log.info(event, { unit: this.#spec.name, ...fields });
  }
}

function shown({ ended, lines }: End): { readonly how: string; readonly lines: readonly string[] } {
  return { how: howText(ended), lines: lines.slice(-10).map((line) => line.slice(0, 300)) };
}
