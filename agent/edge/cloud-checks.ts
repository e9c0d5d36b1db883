import { createHash, X509Certificate } from 'node:crypto';
import type { EnrolmentAnswer, UnreachableReason } from '../core/cloud-probe.ts';
import { earliestTimeMs } from '../core/constants.ts';
import { readCertificate } from './certificate.ts';
import type { JoinOrder } from './join-order.ts';
import type { JoinFacts, JoinProblem } from './preflight.ts';
import type { EdgeSettings } from './wanted-values.ts';

const minuteMs = 60_000;
/** Difference to the cloud's clock from which TLS and tokens go wrong for no visible reason. */
const clockToleranceMs = 5 * minuteMs;

/** Checks the cloud: reached, of the same time, of the authority that the token names, under the name in use. */
export function cloudProblems(
  facts: JoinFacts,
  order: JoinOrder,
  settings: EdgeSettings,
): readonly JoinProblem[] {
  return [
    ...reachProblems(facts, settings),
    ...clockProblems(facts),
    ...authorityProblems(facts, order, settings),
  ];
}

const unreachable: Readonly<Record<UnreachableReason, readonly [string, string]>> = {
  'name-unknown': [
    'CloudNameUnknown',
    'check the name and the name servers (`agentctl doctor`), or use an IP address',
  ],
  refused: ['CloudRefused', 'start cloudcore, or correct the port'],
  'no-route': ['CloudNoRoute', 'check cable, Wi-Fi and routes (`agentctl doctor`)'],
  'timed-out': ['CloudTimedOut', 'check the address and the firewalls on the way'],
  'no-tls': ['CloudNotCloudcore', 'what answers there speaks no TLS; correct the port'],
  other: ['CloudNotCloudcore', 'correct the address and the port of cloudcore'],
};

function reachProblems({ hub, enrolment }: JoinFacts, { cloud }: EdgeSettings): readonly JoinProblem[] {
  const named = [
    { what: `the WebSocket port ${cloud.hubPort}`, answer: hub },
    { what: `the port for certificates ${cloud.enrolPort}`, answer: enrolment },
  ];
  return named.flatMap(({ what, answer }) => {
    if (answer.ok) return [];
    const [reason, fix] = unreachable[answer.reason];
    return [joinError(reason, `Cannot reach ${what} of cloudcore: ${answer.message}; ${fix}`)];
  });
}

function clockProblems({ nowMs, enrolment }: JoinFacts): readonly JoinProblem[] {
  const cloudMs = enrolment.ok ? enrolment.dateMs : undefined;
  const isOff = cloudMs === undefined ? nowMs < earliestTimeMs : Math.abs(nowMs - cloudMs) > clockToleranceMs;
  if (!isOff) return [];
  const seconds = cloudMs === undefined ? undefined : Math.round((nowMs - cloudMs) / 1000);
  const facts =
    seconds === undefined
      ? 'it is before 2024'
      : `it is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the cloud's`;
  return [
    joinError(
      'ClockWrong',
      `The clock of the board is wrong: ${facts}; set it, certificates and tokens depend on it`,
    ),
  ];
}

function authorityProblems(
  facts: JoinFacts,
  order: JoinOrder,
  settings: EdgeSettings,
): readonly JoinProblem[] {
  const { enrolment, nowMs } = facts;
  if (!enrolment.ok) return [];
  const seen = authorityHash(enrolment.authorityDer);
  const pinned = order.caHash?.replace(/^sha256:/, '').toLowerCase();
  if (pinned !== undefined && pinned !== seen) {
    return [
      joinError(
        'WrongAuthority',
        `The cloud's authority has hash ${seen}, --ca-hash wants ${pinned}; wrong address, or somebody stands between`,
      ),
    ];
  }
  if (order.token !== undefined && order.token.caHash !== seen) {
    return [
      joinError(
        'WrongAuthority',
        `The token is for the authority ${short(order.token.caHash)} and the cloud has ${short(seen)}; use the token of this cluster, or the address of that one`,
      ),
    ];
  }
  return serverProblems(enrolment, settings.cloud.host, enrolment.dateMs ?? nowMs);
}

function serverProblems(enrolment: EnrolmentAnswer, host: string, nowMs: number): readonly JoinProblem[] {
  const server = certificateOf(enrolment.serverDer);
  const authority = certificateOf(enrolment.authorityDer);
  if (server === undefined || authority === undefined) {
    return [
      joinError(
        'CloudNotCloudcore',
        'What answers at the port for certificates is no cloudcore; correct the address',
      ),
    ];
  }
  if (!server.verify(authority.publicKey)) {
    return [
      joinError(
        'WrongAuthority',
        'The cloud shows a certificate that is not from its own authority; something stands between, or cloudcore must be restarted',
      ),
    ];
  }
  const isNamed = (isAddress(host) ? server.checkIP(host) : server.checkHost(host)) !== undefined;
  if (!isNamed) {
    const names = server.subjectAltName ?? 'no name at all';
    return [
      joinError(
        'CloudNameMismatch',
        `The cloud's certificate is for ${names} and not for "${host}"; add it to cloudHub.advertiseAddress of cloudcore, or join with a name that it has`,
      ),
    ];
  }
  const facts = readCertificate(server.toString(), undefined);
  if (facts === undefined || nowMs <= facts.notAfterMs) return [];
  return [
    joinError(
      'CloudCertificateExpired',
      "The cloud's own certificate is over; renew it (delete the secret cloudcoresecret and restart cloudcore)",
    ),
  ];
}

/** Names never have only digits and dots, nor a colon. */
function isAddress(host: string): boolean {
  return host.includes(':') || /^[\d.]+$/.test(host);
}

/** A problem that stops the join. */
export function joinError(reason: string, message: string): JoinProblem {
  return { severity: 'error', reason, message };
}

/** SHA-256 of a certificate, hex: the first part of a token. */
export function authorityHash(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

/** The same for a PEM text; undefined where it is no certificate. */
export function pemHash(pem: string): string | undefined {
  const certificate = certificateOf(pem);
  return certificate === undefined ? undefined : authorityHash(certificate.raw);
}

function certificateOf(data: string | Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    return undefined;
  }
}

function short(text: string): string {
  return `${text.slice(0, 12)}…`;
}
