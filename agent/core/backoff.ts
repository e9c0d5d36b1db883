/** Delays between tries. */
export interface BackoffPolicy {
  /** First delay after the free try, in milliseconds. */
  readonly floorMs: number;
  /** No delay is longer than this, in milliseconds. */
  readonly ceilingMs: number;
}

/**
 * Delay before try number `failures` (1 = first failure) with full jitter: uniform between floor/2 and the exponential
 * bound, which doubles from the floor and never exceeds the ceiling.
 */
export function backoffDelay(failures: number, policy: BackoffPolicy, chance: number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), 30);
  const bound = Math.min(policy.floorMs * 2 ** exponent, policy.ceilingMs);
  const low = Math.min(policy.floorMs / 2, bound);
  return Math.round(low + (bound - low) * chance);
}
