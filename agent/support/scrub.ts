import { hidden, withoutSecrets } from '../core/secrets.ts';

/** A known secret shorter than this would take ordinary words along. */
const minSecretLength = 6;

/**
 * Names that say that their value is a secret; names of files and places, counts and times are none. No repetition here and
 * below is without bound where it could be tried from many places: what stands in a bundle is partly written by others.
 */
const secretName =
  '[\\w.-]{0,128}(?:token|passw(?:or)?d|passphrase|secret|credential|private[-_]?key|api[-_]?key|access[-_]?key|authorization|cookie)s?(?![\\w.-]{0,128}(?:file|path|dir|count|seconds|ms)\\b)[\\w.-]{0,128}|auth';

const replacements: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  {
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    text: hidden,
  },
  // A log that was cut within a key.
  {
    pattern: /^(?:[A-Za-z0-9+/=]{16,100}[ \t\r]{0,4}\n){1,200}-----END [A-Z ]*PRIVATE KEY-----/gm,
    text: hidden,
  },
  { pattern: /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@:"]{0,256}:[^\s/@"]{1,1024}@/gi, text: `$1${hidden}@` },
  {
    pattern: new RegExp(`((?<!\\\\)"(?:${secretName})"\\s*:\\s*")(?:[^"\\\\]|\\\\.)*`, 'gi'),
    text: `$1${hidden}`,
  },
  // A document that is a text in another one.
  {
    pattern: new RegExp(
      `(\\\\{1,15}"(?:${secretName})\\\\{1,15}"\\s{0,20}:\\s{0,20}\\\\{1,15}")[\\s\\S]{0,8192}?(?=\\\\{0,15}"\\s{0,20}[,}\\]]|$)`,
      'gi',
    ),
    text: `$1${hidden}`,
  },
  // The environment of a declared unit: only its owner knows what is a secret there.
  { pattern: /("env"\s*:\s*)(?:\{[^{}]*\}|\[[^[\]]*\])/g, text: `$1"${hidden}"` },
  {
    pattern: /^([ \t-]{0,200})env[ \t]*:[ \t]*(?:[{[][^\n]*|(?:\n\1[ \t]+[^\n]*)+)/gm,
    text: `$1env: ${hidden}`,
  },
  // YAML: one line, or a block below it.
  {
    pattern: new RegExp(
      `^([ \\t-]{0,200})((?:${secretName})[ \\t]*:)[ \\t]*[|>][^\\n]*(?:\\n\\1[ \\t]+[^\\n]*)+`,
      'gim',
    ),
    text: `$1$2 ${hidden}`,
  },
  {
    pattern: new RegExp(
      `^([ \\t-]{0,200}["']?(?:${secretName})["']?[ \\t]*:[ \\t]+)(?!(?:true|false|null|~|\\{\\}|\\[\\]|""|''),?[ \\t]*$)[^\\s{[][^\\n]*$`,
      'gim',
    ),
    text: `$1${hidden}`,
  },
  // Variables and arguments.
  {
    pattern: new RegExp(`((?:^|[\\s"'\\0])-{0,2}(?:${secretName})=)[^\\s"'&\\0]+`, 'gim'),
    text: `$1${hidden}`,
  },
  {
    pattern: new RegExp(`(\\s--(?:${secretName})[ \\0])[^\\s"'\\0-][^\\s"'\\0]*`, 'gi'),
    text: `$1${hidden}`,
  },
];

/** Takes secrets out of texts: those that are known, wherever they stand, and whatever looks like one. */
export class Scrubber {
  readonly #known: readonly string[];

  /** `known` are texts that must not be seen anywhere, e.g. the token in edgecore.yaml. */
  constructor(known: readonly string[]) {
    const long = known.map((text) => text.trim()).filter((text) => text.length >= minSecretLength);
    this.#known = [...new Set(long)].sort((a, b) => b.length - a.length);
  }

  scrub(text: string): string {
    const unknown = this.#known.reduce((left, secret) => left.replaceAll(secret, hidden), text);
    return replacements.reduce(
      (left, { pattern, text: shown }) => left.replace(pattern, shown),
      withoutSecrets(unknown),
    );
  }
}

/** Values of secret names in a file of YAML: what must not be seen in any other file either. */
export function secretsOf(yaml: string): readonly string[] {
  const line = new RegExp(
    `^[ \\t-]{0,200}["']?(?:${secretName})["']?[ \\t]*:[ \\t]+["']?([^\\n]*?)["']?[ \\t]*$`,
    'gim',
  );
  return [...yaml.matchAll(line)].flatMap(([, value = '']) =>
    /^(?:true|false|null|~|[|>].*)$/.test(value) ? [] : [value],
  );
}
