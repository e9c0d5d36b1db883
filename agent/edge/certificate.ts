import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Note } from '../core/unit-spec.ts';
import { isoTime } from '../core/utc-text.ts';

/** Subject, times and origin of the node's certificate, as far as they matter. */
export interface CertificateFacts {
  readonly commonName: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Whether the authority on the board signed it; undefined where there is no authority. */
  readonly isSigned: boolean | undefined;
}

/** Verdict over the node's certificate at one moment. */
export interface CertificateVerdict extends Note {
  readonly status: 'true' | 'false';
}

const dayMs = 86_400_000;
/** edgecore renews at 70 to 90 % of the life: what is left after that means that renewing failed. */
const lateShare = 0.08;
const rejoin = 'get a fresh token and run `agentctl rejoin --token-file FILE`';

/** Reads PEM texts; undefined where the certificate cannot be read at all. */
export function readCertificate(certPem: string, caPem: string | undefined): CertificateFacts | undefined {
  try {
    const certificate = new X509Certificate(certPem);
    return {
      commonName: /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '',
      notBeforeMs: parseDate(certificate.validFrom),
      notAfterMs: parseDate(certificate.validTo),
      isSigned: caPem === undefined ? undefined : isSignedBy(certificate, caPem),
    };
  } catch {
    return undefined;
  }
}

/** Reports whether a private key is whole and belongs to the certificate. */
export function isKeyOf(keyPem: string, certPem: string): boolean {
  try {
    return new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

/** Judges a certificate. `minor` is edgecore's: from 1.21 on it takes only one that names the node. */
export function judgeCertificate(
  facts: CertificateFacts,
  node: { readonly name: string; readonly minor: number },
  nowMs: number,
): CertificateVerdict {
  const until = day(facts.notAfterMs);
  if (nowMs < facts.notBeforeMs) {
    const message = `The certificate begins on ${day(facts.notBeforeMs)} and the clock says ${day(nowMs)}: the clock is wrong`;
    return { status: 'false', reason: 'NotYetValid', message };
  }
  if (nowMs > facts.notAfterMs) {
    return { status: 'false', reason: 'Expired', message: `The certificate ended on ${until}; ${rejoin}` };
  }
  if (facts.isSigned === false) {
    const message = `The certificate is not from the authority in rootCA.crt; ${rejoin}`;
    return { status: 'false', reason: 'WrongAuthority', message };
  }
  if (node.minor >= 21 && facts.commonName !== `system:node:${node.name}`) {
    const message = `The certificate is for "${facts.commonName}" and edgecore wants "system:node:${node.name}"; ${rejoin}`;
    return { status: 'false', reason: 'WrongName', message };
  }
  const lateMs = Math.min(30 * dayMs, (facts.notAfterMs - facts.notBeforeMs) * lateShare);
  if (facts.notAfterMs - nowMs < lateMs) {
    const message = `The certificate ends on ${until} and was not renewed in time; is the cloud reachable? Else ${rejoin}`;
    return { status: 'false', reason: 'ExpiresSoon', message };
  }
  return { status: 'true', reason: 'Valid', message: `The certificate is good until ${until}` };
}

function isSignedBy(certificate: X509Certificate, caPem: string): boolean {
  try {
    return certificate.verify(new X509Certificate(caPem).publicKey);
  } catch {
    return false;
  }
}

/** Milliseconds of a date as OpenSSL writes it, e.g. `Jan  1 00:00:00 2027 GMT`. */
function parseDate(text: string): number {
  // oxlint-disable-next-line no-restricted-globals -- reads a written date and asks no clock
  return Date.parse(text);
}

function day(ms: number): string {
  return isoTime(ms).slice(0, 10);
}
