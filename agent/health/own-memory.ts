import type { Log } from '../core/log.ts';
import type { HealthBoard } from './board.ts';
import { ownPressure } from './pressure.ts';

/** What the watch over the agent's own memory works with. */
export interface OwnMemoryOptions {
  readonly board: HealthBoard;
  readonly log: Log;
  readonly maxBytes: number;
  /** Called once; the agent is expected to end in order then, and init to start it again. */
  readonly exceeded: () => void;
}

/** Looks in a row above the bound until the agent gives up: what is merely being worked on has gone by then. */
const patience = 3;
/** Share of the bound, in percent, above which nobody waits. */
const hopelessPercent = 200;
const condition = 'AgentMemoryPressure';

/** Keeps the agent itself from taking the memory that the board needs: before that it ends in order and leaves its units running. */
export class OwnMemory {
  readonly #options: OwnMemoryOptions;
  #above = 0;
  #isOver = false;

  constructor(options: OwnMemoryOptions) {
    this.#options = options;
  }

  /** Judges one measured size in bytes. */
  look(bytes: number): void {
    const { board, log, maxBytes, exceeded } = this.#options;
    const { isPressed, reason, message } = ownPressure(
      bytes,
      board.get(condition)?.status === 'true',
      maxBytes,
    );
    board.set(condition, isPressed ? 'true' : 'false', { reason, message });
    this.#above = isPressed ? this.#above + 1 : 0;
    const isHopeless = bytes * 100 > maxBytes * hopelessPercent;
    if (this.#isOver || !isPressed || (this.#above < patience && !isHopeless)) return;
    this.#isOver = true;
    board.record('agent.memory-exceeded', { bytes, maxBytes });
    log.error('agent.memory-exceeded', { bytes, maxBytes });
    exceeded();
  }
}
