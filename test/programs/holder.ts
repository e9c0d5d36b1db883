import { readFileSync } from 'node:fs';
import { homeDir } from '../../agent/core/constants.ts';

/** Process that holds the mount namespace, by the launcher's record. */
export function holderPid(): number {
  return Number(readFileSync(`${homeDir}/run/namespace`, 'utf8').split(' ')[1]);
}

/** Waits until the holder is in a poll without a limit, or with one: the third argument is -1 or NULL, or something else. */
export async function untilItWaits(how: string): Promise<void> {
  for (;;) {
    const [, , count, limit = ''] = readFileSync(`/proc/${holderPid()}/syscall`, 'utf8').split(' ');
    const isForEver = /^0x(0|f+)$/.test(limit);
    if (count === '0x1' && isForEver === (how === 'for ever')) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
