/**
 * Runs an act under a signal that aborts when one of two does, with that one's reason. For signals that live as long as the
 * agent; AbortSignal.any() leaves something with them at every call for good, 175 bytes on Node 22.23 and a WeakRef on
 * Node 20 (measured; https://github.com/nodejs/node/issues/54614), and a board without its cloud tries again for months.
 */
export async function underEither<T>(
  one: AbortSignal,
  other: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = new AbortController();
  const unbind = [one, other].map((source) => {
    const abort = (): void => both.abort(source.reason);
    if (source.aborted) abort();
    source.addEventListener('abort', abort, { once: true });
    return () => source.removeEventListener('abort', abort);
  });
  try {
    return await act(both.signal);
  } finally {
    for (const undo of unbind) undo();
  }
}
