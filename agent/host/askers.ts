import type { ServerResponse } from 'node:http';

/**
 * Who waits for an answer now. Not AbortSignal.any(): a signal that lives as long as the agent would remember every request
 * until a large garbage collection, 5 KB each.
 */
export class Askers {
  readonly #waiting = new Set<AbortController>();

  /** Aborts when the asker has gone before the end of its answer, or at `dismiss`. */
  signalFor(response: ServerResponse): AbortSignal {
    const asker = new AbortController();
    this.#waiting.add(asker);
    response.on('close', () => {
      this.#waiting.delete(asker);
      if (!response.writableFinished) asker.abort();
    });
    return asker.signal;
  }

  /** Nobody gets an answer any more. */
  dismiss(): void {
    for (const asker of this.#waiting) asker.abort();
  }
}
