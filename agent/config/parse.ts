import {
  type Document,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
  type YAMLParseError,
} from 'yaml';
import { messageOf } from '../core/agent-error.ts';
import type { Problem } from './config.ts';
import { maxConfigLength } from './default-config.ts';
import { configFrom, type Entry, isGroup, isKey, type ParseResult } from './entries.ts';

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
        message: `is not valid YAML: ${yamlFault(error)}`,
      })),
    );
  }
  if (isEmpty(document.contents)) return { ok: true, entries: [] };
  if (!isMap(document.contents)) return broken([{ path: '', message: 'is not a mapping of keys to values' }]);
  try {
    return { ok: true, entries: collect(document.contents, '', { document, lines }) };
  } catch (error) {
    return broken([{ path: '', message: `cannot be read: ${messageOf(error)}` }]);
  }
}

/** The parser's own words without the place, which is said already, and without advice for programmers. */
function yamlFault({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'a line "---" begins a second document; want one';
  if (code === 'RESOURCE_EXHAUSTION' || message.startsWith('Maximum call stack'))
    return 'it is nested too deeply';
  return message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? code;
}

/** Nothing at all, or nothing behind a `---`. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null);
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
    // A mapping as a key, as text, doubles with each level: forty bytes would be a gigabyte.
    const name = isScalar(pair.key) ? String(pair.key.value) : '(no plain word)';
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const range = isScalar(pair.key) ? pair.key.range : undefined;
    const line = source.lines.linePos(range?.[0] ?? 0).line;
    const value: unknown = pair.value;
    if (!isKey(path) && isMap(value)) return collect(value, path, source);
    // A group whose keys are all commented out.
    if (isGroup(path) && isEmpty(value)) return [];
    return [{ path, line, value: plain(value, source.document), lineOf: lineFinder(value, source) }];
  });
}

/** Plain value of a node; aliases are refused, so that no small file grows into a large value. */
function plain(value: unknown, document: Document): unknown {
  if (!isNode(value)) return value;
  if (holdsAlias(value))
    throw new Error('it uses an alias (*NAME), which is not allowed; write the value out');
  return value.toJS(document, { maxAliasCount: 0 });
}

function holdsAlias(node: Node): boolean {
  let isFound = false;
  visit(node, {
    Alias: () => {
      isFound = true;
      return visit.BREAK;
    },
  });
  return isFound;
}

/** Finds the line of what is below a value, e.g. of `a.argv` in the units; undefined where it has none of its own. */
function lineFinder(
  value: unknown,
  { lines }: Pick<Source, 'lines'>,
): (path: readonly string[]) => number | undefined {
  return ([name, ...rest]) => {
    if (name === undefined || !isMap(value)) return undefined;
    const pair = value.items.find(({ key }) => isScalar(key) && String(key.value) === name);
    if (pair === undefined || !isScalar(pair.key) || pair.key.range == null) return undefined;
    const { line } = lines.linePos(pair.key.range[0]);
    return lineFinder(pair.value, { lines })(rest) ?? line;
  };
}
