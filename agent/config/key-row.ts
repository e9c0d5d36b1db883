/** When a changed value takes effect. */
type Applies = 'agent-restart' | 'unit-restart';

interface Row<T> {
  readonly default: T;
  readonly applies: Applies;
  readonly help: string;
}

/** Whole number with bounds; the unit is in the key's name. */
export interface IntegerRow extends Row<number> {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
}
export interface BooleanRow extends Row<boolean> {
  readonly type: 'boolean';
}
/** Text; `pattern` is what it must match and `shape` says that in words. */
export interface StringRow extends Row<string> {
  readonly type: 'string';
  readonly pattern?: RegExp;
  readonly shape?: string;
}
export interface EnumRow<V extends string> extends Row<V> {
  readonly type: 'enum';
  readonly values: readonly V[];
}
export interface StringsRow extends Row<readonly string[]> {
  readonly type: 'strings';
  readonly pattern?: RegExp;
  readonly shape?: string;
}
/** Free mapping that is passed on, e.g. to daemon.json; only that it is a mapping is checked. */
export interface MappingRow extends Row<Readonly<Record<string, unknown>>> {
  readonly type: 'mapping';
}

/** Mapping of unit names to declarations, checked by declared-units.ts. */
export interface UnitsRow extends Row<Readonly<Record<string, unknown>>> {
  readonly type: 'units';
}

export type KeyRow =
  | IntegerRow
  | BooleanRow
  | StringRow
  | EnumRow<string>
  | StringsRow
  | MappingRow
  | UnitsRow;

/** Pattern of a path and its words. */
export const absolutePath = { pattern: /^\/[^\0]*$/, shape: 'an absolute path' } as const;
