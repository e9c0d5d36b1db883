import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { messageOf } from '../core/agent-error.ts';
import { allowed } from './allowed.ts';
import type { Config, Problem } from './config.ts';
import { parseDeclaredUnits } from './declared-units.ts';
import { type Key, type KeyRow, keys } from './keys.ts';

/** A parsed file: either a frozen configuration or every problem at once. */
export type ParseResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A configuration file above this many characters is refused unread. */
export const maxConfigLength = 262_144;

/** Every key with its default. */
export function defaultConfig(): Config {
  const pairs = Object.entries(keys).map(([key, row]) => [key, row.default]);
  return Object.freeze(Object.fromEntries(pairs)) as Config;
}

/**
 * Parses YAML text (nested or dotted keys) into a configuration. Unknown keys, wrong types and values out of range are
 * all reported together with their paths; nothing is guessed.
 */
export function parseConfig(text: string): ParseResult {
  if (text.length > maxConfigLength) {
    return broken([{ path: '', message: `has ${text.length} characters, want at most ${maxConfigLength}` }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: 'core' });
  if (document.errors.length > 0) {
    return broken(
      document.errors.map((error) => ({
        path: '',
        line: lines.linePos(error.pos[0]).line,
        message: error.message.split('\n')[0] ?? error.code,
      })),
    );
  }
  if (document.contents === null) return { ok: true, config: defaultConfig() };
  if (!isMap(document.contents)) return broken([{ path: '', message: 'is not a mapping of keys to values' }]);
  try {
    return fromEntries(collect(document.contents, '', { document, lines }));
  } catch (error) {
    return broken([{ path: '', message: `cannot be read: ${messageOf(error)}` }]);
  }
}

interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

interface Entry {
  readonly path: string;
  readonly line: number;
  readonly value: unknown;
}

function broken(problems: readonly Problem[]): ParseResult {
  return { ok: false, problems };
}

/** Flattens nested mappings to dotted keys; stops at a key that the table knows. */
function collect(map: YAMLMap, prefix: string, source: Source): Entry[] {
  return map.items.flatMap((pair) => {
    const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const range = isScalar(pair.key) ? pair.key.range : undefined;
    const line = source.lines.linePos(range?.[0] ?? 0).line;
    const value: unknown = pair.value;
    if (!isKey(path) && isMap(value)) return collect(value, path, source);
    return [{ path, line, value: plain(value, source.document) }];
  });
}

/** Plain value of a node; aliases are refused, so that no small file grows into a large value. */
function plain(value: unknown, document: Document): unknown {
  return isNode(value) ? value.toJS(document, { maxAliasCount: 0 }) : value;
}

function isKey(path: string): path is Key {
  return Object.hasOwn(keys, path);
}

function fromEntries(entries: readonly Entry[]): ParseResult {
  const problems: Problem[] = [];
  const values = new Map<string, unknown>();
  for (const { path, line, value } of entries) {
    if (!isKey(path)) {
      problems.push({ path, line, message: `is not a known key${suggestion(path)}` });
    } else if (values.has(path)) {
      problems.push({ path, line, message: 'is given twice' });
    } else {
      problems.push(...problemsOf(path, value).map((problem) => ({ line, ...problem })));
      values.set(path, value ?? keys[path].default);
    }
  }
  if (problems.length > 0) return broken(problems);
  return { ok: true, config: Object.freeze({ ...defaultConfig(), ...Object.fromEntries(values) }) as Config };
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
