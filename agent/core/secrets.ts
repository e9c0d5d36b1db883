/** Shown in place of a secret. */
export const hidden = '[secret]';

/** A secret with the words that make it one. */
export interface FoundSecret {
  readonly from: number;
  readonly until: number;
  /** What is shown in its place. */
  readonly shown: string;
}

/** Secrets that programs print: the sentence in which edgecore 1.21 and later quotes a token that it could not read (kubeedge/kubeedge pkg/security/token/token.go), and what goes into an HTTP header. */
const patterns: readonly { readonly pattern: RegExp; readonly shown: string }[] = [
  {
    pattern: /\btoken \S+ credentials are in the wrong format/g,
    shown: `token ${hidden} credentials are in the wrong format`,
  },
  { pattern: /\bBearer [\w.~+/-]{8,}=*/g, shown: `Bearer ${hidden}` },
  { pattern: /\bbearer [\w.~+/-]{8,}=*/g, shown: `bearer ${hidden}` },
];

/** Takes secrets out of a text, in a time that grows with its length only: what others print is scrubbed as it comes. */
export function withoutSecrets(text: string): string {
  let cleaned = '';
  let at = 0;
  for (const { from, until, shown } of secretsIn(text)) {
    cleaned += text.slice(at, from) + shown;
    at = until;
  }
  return at === 0 ? text : cleaned + text.slice(at);
}

/** A shorter end of a secret is of no use to anybody, and an ordinary word or a date is shorter. */
const tornRun = /^((?:[Bb]?e?a?r?e?r? )?)[\w.~+/=-]{16,}/;
const tornSentence = /^(?:t?o?k?e?n? )?\S+(?= credentials are in the wrong format)/;

/** Takes the rest of a secret off a line whose beginning somebody else has read: it would be known by its beginning only. */
export function withoutTornBeginning(line: string): string {
  if (tornSentence.test(line)) return line.replace(tornSentence, hidden);
  return line.replace(tornRun, `$1${hidden}`);
}

/** Takes the beginning of a secret off a line whose end is not there yet. */
export function withoutTornEnd(line: string): string {
  return line
    .replace(/\btoken \S+(?: [a-z ]*)?$/, `token ${hidden}`)
    .replace(/\b([Bb]earer) \S+$/, `$1 ${hidden}`)
    .replace(/[\w.~+/=-]{16,}$/, hidden);
}

/** Secrets of a text in order; none overlaps another one. */
export function secretsIn(text: string): readonly FoundSecret[] {
  const matches = patterns.flatMap(({ pattern, shown }) =>
    [...text.matchAll(pattern)].map(({ 0: { length }, index }) => ({
      from: index,
      until: index + length,
      shown,
    })),
  );
  const found: FoundSecret[] = [];
  for (const next of [...tokensIn(text), ...matches].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last === undefined || next.from >= last.until) found.push(next);
    else found[found.length - 1] = { ...last, until: Math.max(last.until, next.until) };
  }
  return found;
}

function tokensIn(text: string): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  let end = 0;
  for (let at = text.indexOf('eyJ'); at !== -1; at = text.indexOf('eyJ', end)) {
    let start = at;
    while (start > end && isOfToken(text.charCodeAt(start - 1))) start -= 1;
    end = at;
    while (isOfToken(text.charCodeAt(end))) end += 1;
    found.push(...tokensOfRun(text.slice(start, end), start));
  }
  return found;
}

/** Digits, letters, `_`, `-` and `.`. */
function isOfToken(code: number): boolean {
  const isDigit = code >= 0x30 && code <= 0x39;
  const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
  return isDigit || isLetter || code === 0x5f || code === 0x2d || code === 0x2e;
}

/** Each JWT of a run, with the 64 hex digits before it that make a join token of KubeEdge. */
function tokensOfRun(run: string, offset: number): readonly FoundSecret[] {
  const parts = run.split('.');
  const found: FoundSecret[] = [];
  let from = offset;
  let end = offset;
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? '';
    const start = part.search(/eyJ[\w-]{4}/);
    if (start === -1 || (parts[at + 1] ?? '').length < 4) {
      from += part.length + 1;
      continue;
    }
    const before = start === 0 && from > end ? parts[at - 1] : '';
    // Claims and signature.
    const token = parts.slice(at, at + 3).join('.');
    found.push({ from: from + start - hashLength(before), until: from + token.length, shown: hidden });
    from += token.length + 1;
    end = from;
    at += 2;
  }
  return found;
}

function hashLength(part = ''): number {
  return /^[0-9a-fA-F]{64}$/.test(part.slice(-64)) ? 65 : 0;
}
