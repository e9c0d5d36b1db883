import type { UnitStatus } from '../api/wire.ts';
import { AgentError } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import { isResting } from './trial.ts';

/** The supervision as this room uses it; a supervisor fits as it is. */
export interface UpdateUnits {
  status(): readonly UnitStatus[];
  restartUnit(name: string): UnitStatus;
}

/** State of one unit; undefined where nobody supervises it. */
export function unitOf(units: UpdateUnits, name: string): UnitStatus | undefined {
  return units.status().find((unit) => unit.name === name);
}

const lookMs = 100;
/** Milliseconds for a start that has begun to get a process: its programs are looked at before. */
const spawnMs = 120_000;

interface Swap {
  readonly units: UpdateUnits;
  readonly clock: Clock;
  /** Longest time that the unit may take to end, in milliseconds. */
  readonly stopMs: number;
}

/**
 * Lets a unit run its present program: ends the process that runs, once, and leaves the start to the supervision, so there
 * are never two. A unit that is stopped by wish or held stays so. Rejects with TIMED_OUT where the old process does not go.
 */
export async function swapProcess(
  name: string,
  { units, clock, stopMs }: Swap,
  signal: AbortSignal,
): Promise<void> {
  // A start under way may have found its program before the switch: it gets its process first, and then goes.
  await until(() => !isBetween(unitOf(units, name)), { clock, withinMs: spawnMs, signal });
  const before = unitOf(units, name);
  if (before === undefined || isResting(before)) return;
  // An agent that stops would not start again what it ends now.
  signal.throwIfAborted();
  units.restartUnit(name);
  if (before.pid === undefined) return;
  const isGone = await until(() => unitOf(units, name)?.pid !== before.pid, {
    clock,
    withinMs: stopMs,
    signal,
  });
  if (isGone) return;
  throw new AgentError(
    'TIMED_OUT',
    `Cannot end "${name}": process ${before.pid} is still there after ${stopMs} ms`,
  );
}

function isBetween(unit: UnitStatus | undefined): boolean {
  return unit?.phase === 'starting' && unit.pid === undefined;
}

interface Patience {
  readonly clock: Clock;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

async function until(isSo: () => boolean, { clock, withinMs, signal }: Patience): Promise<boolean> {
  const endMs = clock.nowMs() + withinMs;
  while (!isSo()) {
    if (clock.nowMs() >= endMs) return false;
    await clock.sleep(lookMs, signal);
  }
  return true;
}
