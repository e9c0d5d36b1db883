import { Secret } from './secret.ts';

/**
 * A token that can be used: `hex(SHA-256(DER of the authority)).JWT`, four parts with dots
 * (kubeedge/kubeedge pkg/security/token/token.go, v1.22.1; edge/pkg/edgehub/certificate/certmanager.go, v1.12.6).
 */
export interface Token {
  readonly secret: Secret;
  /** SHA-256 of the authority's certificate, hex, lower case. No secret. */
  readonly caHash: string;
  /** Wall-clock milliseconds at which cloudcore stops to accept it; undefined where it says nothing. */
  readonly expiresAtMs: number | undefined;
}

/** A token, or what is wrong with its form in one clause. The clause never quotes any of it. */
export type TokenResult =
  | { readonly ok: true; readonly token: Token }
  | { readonly ok: false; readonly problem: string };

const hashPattern = /^[0-9a-f]{64}$/i;
const partPattern = /^[A-Za-z0-9_-]+$/;
const maxLength = 4096;

/** Takes a token apart. Blanks and line ends around it are cut off: they come from files and from copying. */
export function parseToken(text: string): TokenResult {
  const trimmed = text.trim();
  const problem = formProblem(trimmed);
  if (problem !== undefined) return { ok: false, problem };
  const [caHash = '', head = '', claims = ''] = trimmed.split('.');
  const decoded = decodeClaims(claims);
  if (decoded === undefined || decodeClaims(head) === undefined) {
    return { ok: false, problem: 'does not contain a JWT; copy it again' };
  }
  const token = { secret: new Secret(trimmed), caHash: caHash.toLowerCase(), expiresAtMs: expiry(decoded) };
  return { ok: true, token };
}

function formProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > maxLength) return `has ${text.length} characters, want at most ${maxLength}`;
  if (/\s/.test(text)) return 'has a blank or line break inside; copy it as one line';
  const [caHash = '', ...rest] = text.split('.');
  if (rest.length !== 3) {
    return `has ${rest.length + 1} parts with dots between, want 4; copy the whole output of \`keadm gettoken\``;
  }
  if (!hashPattern.test(caHash)) return 'does not begin with the 64 hex digits of the authority';
  if (!rest.every((part) => partPattern.test(part))) {
    return 'has characters that a token never has; copy it again';
  }
  return undefined;
}

function decodeClaims(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function expiry(claims: Readonly<Record<string, unknown>>): number | undefined {
  const seconds = claims['exp'];
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
