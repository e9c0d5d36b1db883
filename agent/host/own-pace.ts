import { setFlagsFromString } from 'node:v8';
import type { Api } from '../core/api-port.ts';

/** Node 22 (V8 12) has no setting for this that both works and can be taken back: see `busy`. */
const canWait = Number.parseInt(process.versions.v8, 10) < 12;
/**
 * What is said to V8 while nothing is asked of the agent. The compiler that optimizes reads 3 to 5 MB of its own code into
 * memory, and does so for two or three functions of the start already.
 */
const calm = canWait ? ['--ticks-before-optimization=1000000', '--max-bytecode-size-for-early-opt=0'] : [];
/**
 * V8's own settings. Tried and left: `--no-opt` (Node 22 does not come back from it, code kept later is refused),
 * `--max-optimized-bytecode-size` (functions that were too large once are never optimized again),
 * `--invocation-count-for-turbofan` (Node 22 optimizes most all the same).
 */
const busy = canWait ? ['--ticks-before-optimization=3', '--max-bytecode-size-for-early-opt=81'] : [];
/** A young generation that does not grow: after a burst of requests the agent has about the memory that it had before. */
const small = '--semi-space-growth-factor=1';
const growing = '--semi-space-growth-factor=2';

/** Milliseconds between two looks at how busy we are. */
const lookMs = 5_000;
/** Share of a core from which optimized code is worth its memory, and the share below which it no longer is. */
const busyFrom = 0.05;
const calmBelow = 0.01;
/** Requests between two looks that nobody waits after: many askers are served well from the beginning. */
const manyRequests = 20;

/**
 * Lets V8 take less memory for as long as the agent has little to do. By calls and not as options of Node: V8 refuses all
 * code that was compiled with other options, Node's own and ours.
 */
export class OwnPace {
  #timer: NodeJS.Timeout | undefined;
  #usedMs = 0;
  #requests = 0;
  #isBusy = false;

  start(): void {
    set([...calm, small]);
    this.#usedMs = usedMs();
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The same API; what is asked of it counts as work. */
  heeding(api: Api): Api {
    return {
      handle: (request) => {
        this.#requests += 1;
        if (this.#requests === manyRequests) this.#become(true);
        return api.handle(request);
      },
      open: (request) => api.open(request),
    };
  }

  #look(): void {
    const used = usedMs();
    const share = (used - this.#usedMs) / lookMs;
    const isAsked = this.#requests >= manyRequests;
    this.#usedMs = used;
    this.#requests = 0;
    this.#become(isAsked || share >= (this.#isBusy ? calmBelow : busyFrom));
  }

  #become(isBusy: boolean): void {
    if (isBusy === this.#isBusy) return;
    this.#isBusy = isBusy;
    set(isBusy ? busy : calm);
  }
}

/** Does something with V8's own settings: what it compiles to be kept is taken at the next start under these only. */
export function withOwnSettings<T>(act: () => T): T {
  set([...busy, growing]);
  try {
    return act();
  } finally {
    set([...calm, small]);
  }
}

function set(flags: readonly string[]): void {
  for (const flag of flags) setFlagsFromString(flag);
}

function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
