import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { messageOf } from '../core/agent-error.ts';
import type { Problem } from './config.ts';
import { maxConfigLength } from './default-config.ts';
import { configFrom, type Entry, isKey, type ParseResult } from './entries.ts';

/** What stands in a file, not yet compared with the table, or why it is no mapping of keys to values. */
export type ReadResult =
  | { readonly ok: true; readonly entries: readonly Entry[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Parses YAML text (nested or dotted keys) into a configuration. */
export function parseConfig(text: string): ParseResult {
  const read = readEntries(text);
  return read.ok ? configFrom(read.entries) : read;
}

/** Reads YAML text (nested or dotted keys) into entries with dotted keys. */
export function readEntries(text: string): ReadResult {
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
  if (document.contents === null) return { ok: true, entries: [] };
  if (!isMap(document.contents)) return broken([{ path: '', message: 'is not a mapping of keys to values' }]);
  try {
    return { ok: true, entries: collect(document.contents, '', { document, lines }) };
  } catch (error) {
    return broken([{ path: '', message: `cannot be read: ${messageOf(error)}` }]);
  }
}

interface Source {
  readonly document: Document;
  readonly lines: LineCounter;
}

function broken(problems: readonly Problem[]): ReadResult {
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
