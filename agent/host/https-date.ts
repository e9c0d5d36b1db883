import type { TimeSource } from '../core/time-source.ts';

const defaultTimeoutMs = 5_000;

/**
 * Reads the Date header of any answer. The certificate is not judged: with a clock in 1970 every certificate looks not
 * yet valid, so judging it would need the time that is asked for. The caller believes only moves forward.
 */
export class HttpsDate implements TimeSource {
  readonly #timeoutMs: number;

  /** Milliseconds for the whole answer: a server that sends a byte now and then must not hold up the others. */
  constructor(timeoutMs = defaultTimeoutMs) {
    this.#timeoutMs = timeoutMs;
  }

  async dateOf(url: string): Promise<number | undefined> {
    // Only boards whose clock was never set pay for loading it.
    const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
    return new Promise((resolve) => {
      const options = {
        method: 'HEAD',
        rejectUnauthorized: false,
        agent: false as const,
      };
      const asking = request(url, options, (answer) => {
        const dateMs = Date.parse(answer.headers.date ?? '');
        answer.destroy();
        resolve(Number.isNaN(dateMs) ? undefined : dateMs);
      });
      const late = setTimeout(() => asking.destroy(), this.#timeoutMs);
      asking.on('error', () => resolve(undefined));
      asking.once('close', () => {
        clearTimeout(late);
        resolve(undefined);
      });
      asking.end();
    });
  }
}
