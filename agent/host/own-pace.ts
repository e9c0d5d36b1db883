import { setFlagsFromString } from 'node:v8';

/**
 * What is said to V8 while nothing is asked of the agent. The compiler that optimizes reads 3 to 5 MB of its own code into
 * memory, and does so for two or three functions of the start already.
 */
const calm = '--max-optimized-bytecode-size=0';
/** V8's own setting. `--no-opt` does the same, but Node 22 does not come back from it: code kept later is then refused. */
const busy = '--max-optimized-bytecode-size=61440';
/** A young generation that does not grow: after a burst of requests the agent has about the memory that it had before. */
const small = '--semi-space-growth-factor=1';
const growing = '--semi-space-growth-factor=2';

/** Milliseconds between two looks at how busy we are. */
const lookMs = 5_000;
/** Share of a core from which optimized code is worth its memory, and the share below which it no longer is. */
const busyFrom = 0.05;
const calmBelow = 0.01;

/**
 * Lets V8 take less memory for as long as the agent has little to do. By calls and not as options of Node: V8 refuses all
 * code that was compiled with other options, Node's own and ours.
 */
export class OwnPace {
  #timer: NodeJS.Timeout | undefined;
  #usedMs = 0;
  #isBusy = false;

  start(): void {
    set(calm, small);
    this.#usedMs = usedMs();
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const used = usedMs();
    const share = (used - this.#usedMs) / lookMs;
    this.#usedMs = used;
    const isBusy = this.#isBusy ? share >= calmBelow : share >= busyFrom;
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    set(isBusy ? busy : calm);
  }
}

/** Does something with V8's own settings: what it compiles to be kept is taken at the next start under these only. */
export function withOwnSettings<T>(act: () => T): T {
  set(busy, growing);
  try {
    return act();
  } finally {
    set(calm, small);
  }
}

function set(...flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
