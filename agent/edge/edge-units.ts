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
