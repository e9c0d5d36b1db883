import type { TimeSource } from '../core/time-source.ts';

const timeoutMs = 5_000;

/**
 * Reads the Date header of any answer. The certificate is not judged: with a clock in 1970 every certificate looks not
 * yet valid, so judging it would need the time that is asked for. The caller believes only moves forward.
 */
export class HttpsDate implements TimeSource {
  async dateOf(url: string): Promise<number | undefined> {
    // Only boards whose clock was never set pay for loading it.
    const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
    return new Promise((resolve) => {
      const options = {
        method: 'HEAD',
        rejectUnauthorized: false,
        timeout: timeoutMs,
        agent: false as const,
      };
      const asking = request(url, options, (answer) => {
        const dateMs = Date.parse(answer.headers.date ?? '');
        answer.destroy();
        resolve(Number.isNaN(dateMs) ? undefined : dateMs);
      });
      asking.once('timeout', () => asking.destroy());
      asking.once('error', () => resolve(undefined));
      asking.once('close', () => resolve(undefined));
      asking.end();
    });
  }
}
