import type { UnitStatus } from '../api/wire.ts';
import type { Note } from '../core/unit-spec.ts';
import { type Condition, isGood } from '../health/condition.ts';

/**
 * What is seen of a part on trial. `resting`: nobody can tell at present, e.g. the unit is stopped by wish or waits for
 * another one, so the time does not count. `hopeless`: waiting any longer is useless.
 */
export interface Sight extends Note {
  readonly state: 'good' | 'bad' | 'resting' | 'hopeless';
  /** Process that it is about; another one means that the one before ended. */
  readonly pid?: number | undefined;
}

/** Times of a trial in milliseconds. */
export interface TrialLimits {
  /** Until it is good; time in which nobody can tell does not count. */
  readonly readyMs: number;
  /** How long it must stay good without a break. */
  readonly stableMs: number;
  /** Processes that it may use up before it counts as hopeless. */
  readonly processes: number;
}

/** How far a trial has come; times are monotonic milliseconds. */
export interface TrialState {
  readonly lookedMs: number;
  /** Time that counted so far, without that in which it was good. */
  readonly spentMs: number;
  readonly goodSinceMs: number | undefined;
  readonly pids: readonly number[];
}

/** What follows from a look. */
export type Verdict =
  | { readonly kind: 'go-on'; readonly next: TrialState }
  | { readonly kind: 'good' }
  | ({ readonly kind: 'bad' } & Note);

export function beginTrial(nowMs: number): TrialState {
  return { lookedMs: nowMs, spentMs: 0, goodSinceMs: undefined, pids: [] };
}

/** One look at a part on trial. Pure: the caller brings sight and time. */
export function judge(state: TrialState, sight: Sight, nowMs: number, limits: TrialLimits): Verdict {
  const bad = (reason: string, message: string): Verdict => ({ kind: 'bad', reason, message });
  if (sight.state === 'hopeless') return bad(sight.reason, sight.message);
  const pids = withPid(state.pids, sight.pid);
  if (pids.length > limits.processes) {
    return bad('KeepsEnding', `It ended ${pids.length - 1} times; last: ${sight.message}`);
  }
  const counts = sight.state === 'bad';
  const spentMs = state.spentMs + (counts ? nowMs - state.lookedMs : 0);
  const goodSinceMs = goodSince(state, sight, { nowMs, isNewProcess: pids !== state.pids });
  if (goodSinceMs !== undefined && nowMs - goodSinceMs >= limits.stableMs) return { kind: 'good' };
  if (spentMs >= limits.readyMs) {
    return bad('NotReadyInTime', `It is not ready after ${Math.round(spentMs / 1000)} s: ${sight.message}`);
  }
  return { kind: 'go-on', next: { lookedMs: nowMs, spentMs, goodSinceMs, pids } };
}

function withPid(pids: readonly number[], pid: number | undefined): readonly number[] {
  return pid === undefined || pids.includes(pid) ? pids : [...pids, pid];
}

function goodSince(
  { goodSinceMs }: TrialState,
  { state }: Sight,
  { nowMs, isNewProcess }: { readonly nowMs: number; readonly isNewProcess: boolean },
): number | undefined {
  if (state !== 'good') return undefined;
  return isNewProcess ? nowMs : (goodSinceMs ?? nowMs);
}

/** What is seen of a unit. Where the goal is only `running`, a unit that misses something outside is good enough. */
export function unitSight(unit: UnitStatus | undefined, goal: readonly string[]): Sight {
  if (unit === undefined) return { state: 'resting', reason: 'NoUnit', message: 'Nobody supervises it' };
  const { reason, message, pid } = unit;
  const isGood = unit.phase === 'ready' || (unit.phase === 'unready' && !goal.includes('ready'));
  if (isGood) return { state: 'good', reason, message, pid };
  if (unit.phase === 'failed') return { state: 'hopeless', reason, message };
  if (isResting(unit)) return { state: 'resting', reason, message };
  return { state: 'bad', reason, message, pid };
}

const worst: readonly Sight['state'][] = ['hopeless', 'resting', 'bad', 'good'];

/** Several units that belong together are as good as the worst of them; the process that counts is that of the last. */
export function worstSight(sights: readonly Sight[]): Sight {
  const last = sights.at(-1);
  const first = worst.flatMap((state) => sights.filter((sight) => sight.state === state))[0];
  if (last === undefined || first === undefined) return unitSight(undefined, []);
  return { ...first, pid: last.pid };
}

/** Stopped by wish, or held because something that it needs is not ready. */
export function isResting({ wanted, phase, reason, pid }: UnitStatus): boolean {
  if (pid !== undefined) return false;
  return wanted === 'down' || phase === 'down' || (phase === 'waiting' && reason.startsWith('WaitingFor'));
}

/** What a unit must reach: no more than it was before, so that a node without a cloud is not blamed on its new edgecore. */
export function unitGoal(unit: UnitStatus | undefined): readonly string[] {
  return [unit?.phase === 'unready' ? 'running' : 'ready'];
}

/** What is seen of the agent itself: whatever was good before must be good again. */
export function agentSight(conditions: readonly Condition[], goal: readonly string[]): Sight {
  const missing = goal.filter((type) => !conditions.some((one) => one.type === type && isGood(one)));
  if (missing.length === 0) return { state: 'good', reason: 'Ready', message: 'Everything is as before' };
  const told = missing.map((type) => {
    const condition = conditions.find((one) => one.type === type);
    return condition === undefined
      ? `${type} is not known`
      : `${type} ${condition.reason}: ${condition.message}`;
  });
  return { state: 'bad', reason: 'NotAsBefore', message: told.join('; ') };
}

/** The network's state says nothing about a new agent. */
const outside: readonly string[] = ['NetworkReady', 'RoutesReady'];

/**
 * What a new agent must bring back: ground, units and API, as far as they are good now. Load, flash, clock, cloud and
 * whatever is looked at once an hour only are left out.
 */
export function agentGoal(conditions: readonly Condition[]): readonly string[] {
  const isOwn = ({ type }: Condition): boolean =>
    (type.endsWith('Ready') && !outside.includes(type)) || type === 'Prepared' || type === 'ConfigValid';
  return conditions.filter((one) => isGood(one) && isOwn(one)).map(({ type }) => type);
}
