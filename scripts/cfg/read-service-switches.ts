import { printNode } from './json-text.ts';
import { keyOf, placeOf, type ServiceReading } from './service-reading.ts';

/** The number under a key, undefined where the key is absent; null where another type makes the service unusable. */
export function readNumber(
  reading: ServiceReading,
  name: string,
  rule = 'number-type',
): number | undefined | null {
  const entry = keyOf(reading, name);
  if (entry === undefined) return undefined;
  if (entry.value.kind === 'number') return Math.trunc(entry.value.value);
  reading.report(rule, placeOf(reading, entry), `it is ${printNode(entry.value)}`);
  return null;
}

/** The boolean under a key, undefined where the key is absent; null where another type makes the service unusable. */
export function readBoolean(reading: ServiceReading, name: string): boolean | undefined | null {
  const entry = keyOf(reading, name);
  if (entry === undefined) return undefined;
  if (entry.value.kind === 'boolean') return entry.value.value;
  reading.report('boolean-type', placeOf(reading, entry), `it is ${printNode(entry.value)}`);
  return null;
}

function readFlag(reading: ServiceReading, name: string): boolean {
  const value = readNumber(reading, name);
  const entry = keyOf(reading, name);
  if (value === null || entry === undefined) return value !== null;
  if (value !== 0 && value !== 1) reading.report('number-ignored', placeOf(reading, entry), `it is ${value}`);
  if (name === 'disabled' && value === 1) reading.report('disabled-idle', placeOf(reading, entry), 'it is 1');
  return true;
}

function readImportance(reading: ServiceReading): boolean {
  const value = readNumber(reading, 'importance');
  const entry = keyOf(reading, 'importance');
  if (value === null || value === undefined || entry === undefined) return value !== null;
  if (value >= -20 && value <= 19) return true;
  reading.report('importance-range', placeOf(reading, entry), `it is ${value}`);
  return false;
}

function readConsole(reading: ServiceReading): boolean {
  const value = readNumber(reading, 'console');
  const entry = keyOf(reading, 'console');
  if (value === null || entry === undefined) return value !== null;
  const place = placeOf(reading, entry);
  if (value === 2) reading.report('console-kmsg', place, 'it is 2');
  else if (value !== 0 && value !== 1) reading.report('number-ignored', place, `it is ${value}`);
  return true;
}

/** Checks `critical`; `on` says that it is in force, `isWhole` that the service stays usable. */
export function readCritical(reading: ServiceReading): { readonly on: boolean; readonly isWhole: boolean } {
  const { report } = reading;
  const entry = keyOf(reading, 'critical');
  if (entry === undefined) return { on: false, isWhole: true };
  const place = placeOf(reading, entry);
  const { value } = entry;
  const numbers = value.kind === 'array' ? value.items : [value];
  const [enable, ...limits] = numbers.map((item) =>
    item.kind === 'number' ? Math.trunc(item.value) : undefined,
  );
  const hasForm = numbers.length === 1 || numbers.length === 3;
  const isWhole =
    enable !== undefined && hasForm && limits.every((limit) => limit !== undefined && limit > 0);
  if (!isWhole) report('critical-form', place, `it is ${printNode(value)}`);
  if (value.kind === 'number') report('build-critical', place, `it is ${printNode(value)}`);
  const on = isWhole && enable === 1;
  if (on) {
    report('critical-on', place, 'it is in force');
    report('build-critical-on', place, 'it is in force');
  }
  return { on, isWhole };
}

/** Checks the plain switches that init reads before `env`; false where one makes the service unusable. */
export function readSwitches(reading: ServiceReading): boolean {
  const results = [
    readFlag(reading, 'once'),
    readImportance(reading),
    readFlag(reading, 'disabled'),
    readConsole(reading),
    readFlag(reading, 'notify-state'),
    readFlag(reading, 'module-update'),
  ];
  return results.every(Boolean);
}
