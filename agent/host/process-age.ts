import { uptime } from 'node:os';
import { readStat } from './proc-reader.ts';

/** Ticks of a second in /proc, on every machine (Linux include/uapi/asm-generic/param.h USER_HZ). */
const ticksPerSecond = 100;

/**
 * Milliseconds since this process was made; more than its program knows of, because it also counts the shell that became it and
 * the reading of a large program from a cold disk. 0 where /proc does not tell.
 */
export function processAgeMs(): number {
  const stat = readStat(process.pid);
  if (stat === undefined) return 0;
  return Math.max(0, Math.round((uptime() - stat.startTicks / ticksPerSecond) * 1_000));
}
