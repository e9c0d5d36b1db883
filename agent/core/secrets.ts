/** Shown in place of a secret. */
export const hidden = '[secret]';

/**
 * Secrets that programs print: KubeEdge's join token (64 hex digits and a JWT), any JWT by itself, and the sentence in
 * which edgecore 1.21 and later quotes a token that it could not read (kubeedge/kubeedge pkg/security/token/token.go).
 */
const patterns: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  { pattern: /(?:[0-9a-fA-F]{64}\.)?eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?/g, text: hidden },
  {
    pattern: /\btoken \S+ credentials are in the wrong format/g,
    text: `token ${hidden} credentials are in the wrong format`,
  },
  { pattern: /\b(Bearer|bearer) [\w.~+/-]{8,}=*/g, text: `$1 ${hidden}` },
];

/** Takes secrets out of a text. */
export function withoutSecrets(text: string): string {
  return patterns.reduce((cleaned, { pattern, text: shown }) => cleaned.replace(pattern, shown), text);
}
