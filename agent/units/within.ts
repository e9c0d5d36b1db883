import type { Clock } from '../core/clock.ts';

/** Runs an act with a signal that aborts after `timeoutMs`. The act must obey the signal. */
export async function within<T>(
  clock: Clock,
  timeoutMs: number,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => abort.abort());
  try {
    return await act(abort.signal);
  } finally {
    cancel();
  }
}
