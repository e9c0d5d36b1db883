import { allowed } from './allowed.ts';
import type { Config, Problem } from './config.ts';
import { parseDeclaredUnits } from './declared-units.ts';
import { defaultConfig } from './default-config.ts';
import { type Key, type KeyRow, keys } from './keys.ts';

/** One dotted key of a file with its plain value. */
export interface Entry {
  readonly path: string;
  /** 1-based line in the file where known. */
  readonly line?: number;
  readonly value: unknown;
  /** Line of what is below the value, by its names; absent in a kept copy. */
  readonly lineOf?: (path: readonly string[]) => number | undefined;
}

/** A parsed file: either a frozen configuration or every problem at once. */
export type ParseResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Whether the table knows a dotted key. */
export function isKey(path: string): path is Key {
  return Object.hasOwn(keys, path);
}

/** Whether a word stands before the dot of some key. */
export function isGroup(word: string): boolean {
  return Object.keys(keys).some((key) => key.startsWith(`${word}.`));
}

/**
 * Checks entries against the table. Unknown keys, wrong types and values out of range are all reported together; nothing
 * is guessed.
 */
export function configFrom(entries: readonly Entry[]): ParseResult {
  const problems: Problem[] = [];
  const values = new Map<string, unknown>();
  for (const entry of entries) {
    const { path, line, value } = entry;
    const place = line === undefined ? {} : { line };
    if (!isKey(path)) {
      problems.push({ path, ...place, message: `is not a known key${suggestion(path)}` });
    } else if (values.has(path)) {
      problems.push({ path, ...place, message: 'is given twice' });
    } else {
      problems.push(
        ...problemsOf(path, value).map((problem) => ({ ...place, ...lineBelow(entry, problem), ...problem })),
      );
      values.set(path, value ?? keys[path].default);
    }
  }
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: Object.freeze({ ...defaultConfig(), ...Object.fromEntries(values) }) as Config };
}

/** Line of a problem that lies below the entry's own key. */
function lineBelow({ path, lineOf }: Entry, problem: Problem): { readonly line?: number } {
  const line = lineOf?.(problem.path.slice(path.length + 1).split('.'));
  return line === undefined ? {} : { line };
}

type Checkers = {
  readonly [T in KeyRow['type']]: (row: Extract<KeyRow, { type: T }>, value: unknown) => boolean;
};

/** Whether a value fits its row, one line per type: a new type will not compile until it can be checked. */
const fits: Checkers = {
  boolean: (_, value) => typeof value === 'boolean',
  integer: (row, value) => Number.isInteger(value) && Number(value) >= row.min && Number(value) <= row.max,
  enum: (row, value) => row.values.some((known) => known === value),
  string: (row, value) => matches(row, value),
  strings: (row, value) => Array.isArray(value) && value.every((item) => matches(row, item)),
  mapping: (_, value) => isMapping(value),
  units: (_, value) => isMapping(value),
};

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function problemsOf(path: Key, value: unknown): readonly Problem[] {
  if (value === null) return [];
  const row = keys[path];
  const wrong = checkValue(row, value);
  if (wrong !== undefined) return [{ path, message: wrong }];
  if (row.type !== 'units' || !isMapping(value)) return [];
  return parseDeclaredUnits(value).problems;
}

/** Says in one clause what is wrong with a value, or undefined where it fits its row. */
function checkValue(row: KeyRow, value: unknown): string | undefined {
  const check = fits[row.type] as (row: KeyRow, value: unknown) => boolean;
  return check(row, value) ? undefined : `is ${show(value)}, want ${allowed(row)}`;
}

function matches(row: { readonly pattern?: RegExp }, value: unknown): boolean {
  return typeof value === 'string' && (row.pattern?.test(value) ?? true);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Names the nearest known key when it is at most two edits away. */
function suggestion(path: string): string {
  const near = Object.keys(keys).find((key) => distance(key, path) <= 2);
  return near === undefined ? '; see `agentctl config keys`' : `, did you mean ${near}?`;
}

function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      const replace = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replace, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 3;
}
