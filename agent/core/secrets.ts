/** Shown in place of a secret. */
export const hidden = '[secret]';

/** Secrets that programs print: the sentence in which edgecore 1.21 and later quotes a token that it could not read (kubeedge/kubeedge pkg/security/token/token.go), and what goes into an HTTP header. */
const patterns: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  {
    pattern: /\btoken \S+ credentials are in the wrong format/g,
    text: `token ${hidden} credentials are in the wrong format`,
  },
  { pattern: /\b(Bearer|bearer) [\w.~+/-]{8,}=*/g, text: `$1 ${hidden}` },
];

/** Takes secrets out of a text, in a time that grows with its length only: what others print is scrubbed as it comes. */
export function withoutSecrets(text: string): string {
  // One class of characters, so that nothing is looked at twice; what a run holds is looked at by hand.
  const cleaned = text.replace(/[\w.-]+/g, (run) => (run.includes('eyJ') ? hideTokens(run) : run));
  return patterns.reduce((left, { pattern, text: shown }) => left.replace(pattern, shown), cleaned);
}

/** Hides each JWT of a run, with the 64 hex digits before it that make a join token of KubeEdge. */
function hideTokens(run: string): string {
  const parts = run.split('.');
  const kept: string[] = [];
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? '';
    const start = part.search(/eyJ[\w-]{4}/);
    if (start === -1 || (parts[at + 1]?.length ?? 0) < 4) {
      kept.push(part);
      continue;
    }
    const hash = start === 0 ? /[0-9a-fA-F]{64}$/.exec(kept.at(-1)?.slice(-64) ?? '') : null;
    kept.push(hash === null ? part.slice(0, start) + hidden : (kept.pop() ?? '').slice(0, -64) + hidden);
    // Claims and signature.
    at += 2;
  }
  return kept.join('.');
}
