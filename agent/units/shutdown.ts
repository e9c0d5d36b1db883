import type { Clock } from '../core/clock.ts';
import { pidOf } from './state.ts';
import type { UnitRunner } from './unit-runner.ts';
import { waitUntil } from './wait-until.ts';

/** Limits of an orderly stop of all units. */
export interface ShutdownOptions {
  /** Milliseconds for everything. */
  readonly totalMs: number;
}

/** How the stop of one unit went. */
export interface StopReport {
  readonly unit: string;
  /** `not-running`: nothing to stop; `ended`: by itself after SIGTERM; `killed`: by SIGKILL; `left`: time was over and it still runs. */
  readonly result: 'not-running' | 'ended' | 'killed' | 'left';
  readonly durationMs: number;
}

/** Milliseconds that SIGKILL gets inside the budget of a unit. */
const killMs = 500;

/** What a shutdown needs. */
export interface Shutdown {
  /** Units that may be stopped at the same time, dependents first. */
  readonly groups: readonly (readonly UnitRunner[])[];
  readonly clock: Clock;
  readonly watch: (listener: () => void) => () => void;
  readonly totalMs: number;
}

/**
 * Stops all units within a total budget. Each group gets what its slowest unit may take, or where time is short an equal
 * share of what is left, so that edgecore cannot use up the time in which dockerd stops containers; what a group does not
 * use goes to the later ones.
 */
export async function shutDown(shutdown: Shutdown): Promise<readonly StopReport[]> {
  const { groups, clock, totalMs } = shutdown;
  const deadline = clock.nowMs() + totalMs;
  const wants = groups.map((runners) => Math.max(0, ...runners.map(wantedMs)));
  const reports: StopReport[] = [];
  for (const [index, runners] of groups.entries()) {
    const budgetMs = groupBudget(Math.max(0, deadline - clock.nowMs()), wants.slice(index));
    const until = clock.nowMs() + budgetMs;
    reports.push(...(await Promise.all(runners.map((runner) => stopBefore(runner, until, shutdown)))));
  }
  return reports;
}

/** Milliseconds for the first of several groups, out of what is left for all of them. */
export function groupBudget(leftMs: number, wants: readonly number[]): number {
  const [own = 0, ...later] = wants;
  const spare = leftMs - later.reduce((sum, want) => sum + want, 0);
  return Math.min(own, Math.max(leftMs / wants.length, spare));
}

function wantedMs({ spec }: UnitRunner): number {
  const { stopMs } = spec.policy;
  return stopMs * (spec.beforeShutdown === undefined ? 1 : 2) + killMs;
}

async function stopBefore(runner: UnitRunner, deadline: number, shutdown: Shutdown): Promise<StopReport> {
  const { clock, watch } = shutdown;
  const startedAt = clock.nowMs();
  const report = (result: StopReport['result']): StopReport => ({
    unit: runner.spec.name,
    result,
    durationMs: Math.round(clock.nowMs() - startedAt),
  });
  if (pidOf(runner.state) === undefined && runner.state.phase !== 'spawning') {
    runner.dispatch({ kind: 'stop-requested' });
    return report('not-running');
  }
  const leftMs = (): number => Math.max(0, deadline - clock.nowMs());
  await runner.beforeShutdown(Math.max(0, leftMs() / 2 - killMs));
  const graceMs = (): number => Math.max(0, Math.min(runner.spec.policy.stopMs, leftMs() - killMs));
  const isSpawning = (): boolean => runner.state.phase === 'spawning';
  runner.dispatch({ kind: 'stop-requested', graceMs: graceMs() });
  let isKilled = false;
  const isTrue = (): boolean => {
    isKilled ||= runner.state.phase === 'stopping' && ['kill', 'stuck'].includes(runner.state.stage);
    return pidOf(runner.state) === undefined && !isSpawning();
  };
  try {
    if (isSpawning()) {
      await waitUntil({ clock, watch, isTrue: () => !isSpawning(), timeoutMs: leftMs() });
      runner.dispatch({ kind: 'stop-requested', graceMs: graceMs() });
    }
    await waitUntil({ clock, watch, isTrue, timeoutMs: leftMs() });
    return report(isKilled ? 'killed' : 'ended');
  } catch {
    return report('left');
  }
}
