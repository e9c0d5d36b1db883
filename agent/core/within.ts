import type { Clock } from './clock.ts';
import { underEither } from './either-signal.ts';

/** What ends an act besides its time, and what it is told when that is over. */
export interface WithinOptions {
  readonly signal?: AbortSignal;
  /** Makes the reason of the abort. @default an AbortError */
  readonly reason?: () => Error;
}

/** Runs an act with a signal that aborts after `timeoutMs`. The act must obey the signal. */
export async function within<T>(
  clock: Clock,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
  { signal, reason }: WithinOptions = {},
): Promise<T> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort(reason?.()));
  try {
    return signal === undefined ? await act(late.signal) : await underEither(signal, late.signal, act);
  } finally {
    cancel();
  }
}
