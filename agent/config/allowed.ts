import type { KeyRow } from './keys.ts';

/** What a key accepts, in words. */
export function allowed(row: KeyRow): string {
  switch (row.type) {
    case 'integer':
      return `a whole number from ${row.min} to ${row.max}`;
    case 'enum':
      return `one of ${row.values.join(', ')}`;
    case 'boolean':
      return 'true or false';
    case 'mapping':
      return 'a mapping';
    case 'units':
      return 'a mapping of unit names to declarations';
    case 'string':
      return row.shape ?? 'text';
    case 'strings':
      return `a list of ${row.shape ?? 'texts'}`;
  }
}
