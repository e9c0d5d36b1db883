import { setTimeout as sleep } from 'node:timers/promises';

/** Looks again and again; throws with what was seen last when it takes too long. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined> | T | undefined,
  tell: () => string = () => '',
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`${what}: not within ${withinMs / 1_000} s; ${tell()}`);
    await sleep(100);
  }
}
