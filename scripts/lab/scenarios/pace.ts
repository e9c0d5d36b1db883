import type { Board } from '../board.ts';
import { busyboxOfLab } from './agent.ts';

/** Programs that are started to measure. */
const starts = 20;
/** What one start takes on the virtual board while the host has nothing else to do, in milliseconds. */
const idleStartMs = 25;

/**
 * How many times slower than on an idle host this board runs now, at least 1. Times that the product promises are held
 * against the board's own pace: a virtual machine that gets a tenth of a processor is no slower board.
 */
export async function measurePace(board: Board): Promise<number> {
  const list = Array.from({ length: starts }, (_, index) => index).join(' ');
  const sinceMs = performance.now();
  await board.run(`for i in ${list}; do ${busyboxOfLab} true; done`);
  return Math.max(1, (performance.now() - sinceMs) / starts / idleStartMs);
}

/** A promised time on a board of this pace, in words and milliseconds. */
export function withinPace(promiseMs: number, pace: number): { readonly ms: number; readonly text: string } {
  const ms = Math.round(promiseMs * pace);
  const text =
    pace === 1 ? `${ms} ms` : `${ms} ms (${promiseMs} ms times ${pace.toFixed(1)}, the pace of this host)`;
  return { ms, text };
}
