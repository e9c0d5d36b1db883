/** Time as a port: rooms never call Date.now or setTimeout, so tests step through hours in no time. */
export interface Clock {
  /** Wall clock in milliseconds since 1970. Jumps: a board without RTC starts in 1970. For stamps only. */
  wallMs(): number;
  /** Monotonic milliseconds since an arbitrary start. For every delay and deadline. */
  nowMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. Keeps the process alive. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls back once after `ms`; the returned function cancels. Never keeps the process alive. */
  after(ms: number, callback: () => void): () => void;
}

/** Chance as a port: uniform in [0, 1). */
export type Random = () => number;
