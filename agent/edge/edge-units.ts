import type { UnitStatus } from '../api/wire.ts';

/** The supervision as this room uses it; a supervisor fits as it is. */
export interface EdgeUnits {
  startUnit(name: string): UnitStatus;
  stopUnit(name: string): UnitStatus;
  restartUnit(name: string): UnitStatus;
  /** All units. */
  status(): readonly UnitStatus[];
}

/** State of one unit, or undefined where there is none of that name. */
export function statusOf(units: EdgeUnits, name: string): UnitStatus | undefined {
  return units.status().find((unit) => unit.name === name);
}

/** Reports whether a process of the unit is or may be there. */
export function isRunning(units: EdgeUnits, name: string): boolean {
  const status = statusOf(units, name);
  return (
    status !== undefined &&
    (status.pid !== undefined || ['starting', 'ready', 'unready', 'stopping'].includes(status.phase))
  );
}

/** Reports whether the unit runs or would start by itself, e.g. after its backoff: who changes its files stops it first. */
export function isActive(units: EdgeUnits, name: string): boolean {
  const phase = statusOf(units, name)?.phase;
  return phase !== undefined && phase !== 'down';
}

/** The supervision before it is there: the unit that it supervises is made first. */
export function unitsLater(units: () => EdgeUnits): EdgeUnits {
  return {
    startUnit: (name) => units().startUnit(name),
    stopUnit: (name) => units().stopUnit(name),
    restartUnit: (name) => units().restartUnit(name),
    status: () => units().status(),
  };
}
