import { readFileSync } from 'node:fs';

/** A fresh random UUID from the kernel: node:crypto would cost 2 MB of memory for it (random(4), /proc/sys/kernel/random/uuid). */
export function randomId(): string {
  return readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();
}
