import { type TwinProperty, twinProperties } from './twin-properties.ts';

/** How often a twin may be told. All in milliseconds. */
export interface TwinPace {
  /** No two messages are closer than this. */
  readonly intervalMs: number;
  /** Changes of measurements alone wait at least this long after the message before. */
  readonly measuredMs: number;
  /** A whole twin is sent this long after the last whole one, changed or not. */
  readonly fullMs: number;
}

/** What the cloud was told so far in this session. */
export interface TwinMemory {
  /** Values that were accepted; empty before the first. */
  readonly told: ReadonlyMap<string, string>;
  /** Monotonic time of the last message; undefined before the first. */
  readonly toldMs: number | undefined;
  /** Monotonic time of the last whole twin; undefined before the first. */
  readonly fullToldMs: number | undefined;
  /** Whole twins that must be sent whatever is known: two after the start of a session. */
  readonly owed: number;
  /** Not before this monotonic time may an owed one go out; spreads a fleet that comes back all at once. */
  readonly notBeforeMs: number;
}

/** What to do now. */
export type TwinPlan =
  | { readonly send: 'nothing'; readonly waitMs: number }
  | { readonly send: 'full' | 'changes'; readonly values: ReadonlyMap<string, string> };

/** Decides what to tell, and when to look again. */
export function planTwin(
  values: ReadonlyMap<string, string>,
  memory: TwinMemory,
  pace: TwinPace,
  nowMs: number,
): TwinPlan {
  const openMs = Math.max(memory.notBeforeMs, (memory.toldMs ?? -Infinity) + pace.intervalMs);
  const isOwed = memory.fullToldMs === undefined || memory.owed > 0;
  const dueMs = isOwed ? openMs : Math.max(openMs, (memory.fullToldMs ?? 0) + pace.fullMs);
  const changed = twinProperties.filter((property) => isNews(property, values, memory.told));
  const isUrgent = changed.some((property) => !property.isMeasured);
  const quietMs = (memory.toldMs ?? -Infinity) + pace.measuredMs;
  const changeMs = changed.length === 0 ? Infinity : isUrgent ? openMs : Math.max(openMs, quietMs);
  if (nowMs >= dueMs) return { send: 'full', values };
  if (nowMs >= changeMs) return { send: 'changes', values: only(values, memory.told) };
  return { send: 'nothing', waitMs: Math.min(dueMs, changeMs) - nowMs };
}

/** Reports whether a value has moved out of its band since it was told. */
function isNews(
  { name, band }: TwinProperty,
  values: ReadonlyMap<string, string>,
  told: ReadonlyMap<string, string>,
): boolean {
  const [now, before] = [values.get(name), told.get(name)];
  if (band === undefined || now === before) return false;
  const moved = Math.abs(Number(now) - Number(before));
  return !(band > 0 && moved < band);
}

/** Everything that differs from what was told: what travels along costs next to nothing. */
function only(
  values: ReadonlyMap<string, string>,
  told: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...values].filter(([name, value]) => told.get(name) !== value));
}
