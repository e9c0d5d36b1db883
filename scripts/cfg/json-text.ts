/** A value of a JSON text with the line it starts on. */
export type JsonNode = { readonly line: number } & (
  | { readonly kind: 'object'; readonly entries: readonly JsonEntry[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
);

/** One member of an object; an object can hold the same key twice. */
export interface JsonEntry {
  readonly key: string;
  readonly line: number;
  readonly value: JsonNode;
}

/** A text as cJSON reads it, and where a stricter reader would stop. */
export type JsonText =
  | { readonly isRead: false; readonly line: number; readonly column: number; readonly problem: string }
  | {
      readonly isRead: true;
      readonly root: JsonNode;
      readonly hasByteOrderMark: boolean;
      /** Line of the first character behind the JSON that is no white space. */
      readonly garbageLine: number | undefined;
    };

class Unreadable extends Error {
  readonly at: number;

  constructor(at: number, problem: string) {
    super(problem);
    this.at = at;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Deepest nesting that cJSON follows. */
const depthLimit = 1000;

/**
 * Reads JSON the way cJSON 1.7 does inside init (DaveGamble/cJSON cJSON_Parse): keys may repeat, control characters may
 * stand in strings, whatever follows the value is not looked at; a comment or a trailing comma loses the whole text.
 */
class Reader {
  at: number;
  readonly text: string;
  readonly #lineStarts: readonly number[];

  constructor(text: string) {
    this.text = text;
    this.at = text.startsWith('\uFEFF') ? 1 : 0;
    const starts = [0];
    for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) {
      starts.push(index + 1);
    }
    this.#lineStarts = starts;
  }

  /** Line and column of a character, both counted from 1. */
  place(at: number): { readonly line: number; readonly column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (this.#lineStarts[low] ?? 0) + 1 };
  }

  /** cJSON takes every character up to the space as white space. */
  skipSpace(): void {
    while (this.at < this.text.length && this.text.charCodeAt(this.at) <= 32) this.at++;
  }

  value(depth: number): JsonNode {
    if (depth > depthLimit) throw new Unreadable(this.at, 'nested deeper than 1000 levels');
    const { line } = this.place(this.at);
    const char = this.text[this.at];
    if (char === '{') return this.object(line, depth);
    if (char === '[') return this.array(line, depth);
    if (char === '"') return { kind: 'string', line, text: this.string() };
    for (const [word, value] of [
      ['true', true],
      ['false', false],
    ] as const) {
      if (this.take(word)) return { kind: 'boolean', line, value };
    }
    if (this.take('null')) return { kind: 'null', line };
    return this.number(line);
  }

  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  number(line: number): JsonNode {
    const match = /^-?[0-9][0-9+\-eE.]*/.exec(this.text.slice(this.at, this.at + 64));
    const value = match === null ? Number.NaN : Number.parseFloat(match[0]);
    if (match === null || Number.isNaN(value)) {
      throw new Unreadable(
        this.at,
        this.at >= this.text.length ? 'the text ends here' : 'no JSON value here',
      );
    }
    this.at += match[0].length;
    return { kind: 'number', line, value };
  }

  string(): string {
    const start = this.at++;
    let text = '';
    for (;;) {
      const char = this.text[this.at];
      if (char === undefined) throw new Unreadable(start, 'this string does not end');
      this.at++;
      if (char === '"') return text;
      text += char === '\\' ? this.escape() : char;
    }
  }

  escape(): string {
    const char = this.text[this.at++] ?? '';
    const plain = escapes[char];
    if (plain !== undefined) return plain;
    const hex = /^[0-9a-fA-F]{4}/.exec(this.text.slice(this.at, this.at + 4));
    if (char !== 'u' || hex === null) throw new Unreadable(this.at - 2, `no escape "\\${char}" in JSON`);
    this.at += 4;
    return String.fromCharCode(Number.parseInt(hex[0], 16));
  }

  /** Behind an item: true where a comma promises another one, false at the closing bracket. */
  more(close: string): boolean {
    this.skipSpace();
    const char = this.text[this.at];
    if (char !== ',' && char !== close) {
      throw new Unreadable(
        this.at,
        char === undefined ? 'the text ends here' : `want "," or "${close}" here`,
      );
    }
    const comma = this.at++;
    if (char === close) return false;
    this.skipSpace();
    if (this.text[this.at] === close) throw new Unreadable(comma, 'a comma before the closing bracket');
    return true;
  }

  array(line: number, depth: number): JsonNode {
    const items: JsonNode[] = [];
    if (this.opensEmpty(']')) return { kind: 'array', line, items };
    do {
      items.push(this.value(depth + 1));
    } while (this.more(']'));
    return { kind: 'array', line, items };
  }

  object(line: number, depth: number): JsonNode {
    const entries: JsonEntry[] = [];
    if (this.opensEmpty('}')) return { kind: 'object', line, entries };
    do {
      entries.push(this.entry(depth));
    } while (this.more('}'));
    return { kind: 'object', line, entries };
  }

  opensEmpty(close: string): boolean {
    this.at++;
    this.skipSpace();
    return this.take(close);
  }

  entry(depth: number): JsonEntry {
    const { line } = this.place(this.at);
    if (this.text[this.at] !== '"') throw new Unreadable(this.at, 'want a key in double quotes here');
    const key = this.string();
    this.skipSpace();
    if (!this.take(':')) throw new Unreadable(this.at, `want ":" after the key "${key}"`);
    this.skipSpace();
    return { key, line, value: this.value(depth + 1) };
  }
}

/** Reads a text as init's JSON library does; the result of a broken one tells the place. */
export function readJson(text: string): JsonText {
  const reader = new Reader(text);
  try {
    reader.skipSpace();
    const root = reader.value(0);
    reader.skipSpace();
    const garbageLine = reader.at < text.length ? reader.place(reader.at).line : undefined;
    return { isRead: true, root, hasByteOrderMark: text.startsWith('\uFEFF'), garbageLine };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { isRead: false, ...reader.place(error.at), problem: error.message };
  }
}

/** The first member with this key; cJSON compares without regard to case unless told otherwise. */
export function member(node: JsonNode, key: string, isExact = false): JsonEntry | undefined {
  if (node.kind !== 'object') return undefined;
  const wanted = key.toLowerCase();
  return node.entries.find((entry) => (isExact ? entry.key === key : entry.key.toLowerCase() === wanted));
}

/** A value as one would write it, for messages. */
export function printNode(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return 'an object';
    case 'array':
      return 'an array';
    case 'string':
      return JSON.stringify(node.text);
    case 'number':
    case 'boolean':
      return String(node.value);
    case 'null':
      return 'null';
  }
}
