import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Authority, Validity } from './authority.ts';
import type { Faults } from './faults.ts';
import type { Profile } from './profile.ts';

/** What the enrolment port needs to know. */
export interface Enrolment {
  readonly authority: Authority;
  readonly profile: Profile;
  readonly faults: () => Faults;
  readonly hasNode: (name: string) => boolean;
  /** Told of each certificate handed out. */
  readonly issued: (nodeName: string) => void;
}

interface Answer {
  readonly code: number;
  readonly body: string | Buffer;
}

const yearMs = 365 * 86_400_000;
const maxBodyBytes = 1_048_576;

/** Validity of the certificates by fault. */
const validities: Readonly<Record<'expired' | 'not-yet' | 'good', Validity>> = {
  expired: { fromMs: -2 * yearMs, untilMs: -yearMs },
  'not-yet': { fromMs: yearMs, untilMs: 2 * yearMs },
  good: { fromMs: -1000, untilMs: yearMs },
};

/**
 * Answers one request to port 10002: /ca.crt, /edge.crt and, by release, /node/<name>
 * (kubeedge/kubeedge cloud/pkg/cloudhub/servers/httpserver, v1.12.6 and v1.22.1).
 */
export async function answerEnrolment(
  request: IncomingMessage,
  response: ServerResponse,
  enrolment: Enrolment,
): Promise<void> {
  const fault = enrolment.faults().enrol;
  if (fault === 'hang') return;
  const { code, body } =
    fault === 'error' ? { code: 500, body: 'stand-in fault: error' } : await route(request, enrolment);
  response.writeHead(code).end(body);
}

async function route(request: IncomingMessage, enrolment: Enrolment): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'https://cloud');
  if (request.method !== 'GET') return { code: 405, body: '405: Method Not Allowed' };
  if (pathname === '/ca.crt') return { code: 200, body: enrolment.authority.caDer };
  if (pathname === '/edge.crt') return issue(request, enrolment);
  const node = /^\/node\/([^/]+)$/.exec(pathname)?.[1];
  if (node !== undefined && enrolment.profile.hasCheckNode) {
    return enrolment.hasNode(decodeURIComponent(node))
      ? { code: 200, body: 'Node founded' }
      : { code: 404, body: 'Node not found' };
  }
  return { code: 404, body: '404: Page Not Found' };
}

async function issue(request: IncomingMessage, enrolment: Enrolment): Promise<Answer> {
  const nodeName = String(request.headers['nodename'] ?? '');
  const refused = refusal(request, nodeName, enrolment);
  if (refused !== undefined) return refused;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) return { code: 500, body: 'http: request body too large' };
    chunks.push(chunk as Buffer);
  }
  try {
    const validity = validities[enrolment.faults().issue ?? 'good'];
    const body = await enrolment.authority.signRequest(Buffer.concat(chunks), validity);
    enrolment.issued(nodeName);
    return { code: 200, body };
  } catch (error) {
    return { code: 500, body: `failed to sign certs for edgenode ${nodeName}, err: ${String(error)}` };
  }
}

/** A client certificate is looked at before any token, as cloudcore does when certificates are rotated. */
function refusal(request: IncomingMessage, nodeName: string, enrolment: Enrolment): Answer | undefined {
  const peer = (request.socket as TLSSocket).getPeerX509Certificate();
  if (peer !== undefined) {
    const wrong = certificateProblem(peer, nodeName, enrolment);
    return wrong === undefined
      ? undefined
      : { code: 401, body: `failed to verify the certificate for edgenode: ${nodeName}, err: ${wrong}` };
  }
  const [scheme, jwt, ...rest] = (request.headers.authorization ?? '').split(' ');
  const isSplit = scheme !== undefined && jwt !== undefined && rest.length === 0;
  const wrong = isSplit ? enrolment.authority.refusalOf(jwt) : 'token cannot be splited';
  if (wrong === undefined) return undefined;
  if (!enrolment.profile.explainsToken)
    return { code: isSplit ? 400 : 401, body: 'Invalid authorization token' };
  return { code: 401, body: `token validation failure, ${isSplit ? 'err: ' : ''}${wrong}` };
}

function certificateProblem(
  peer: X509Certificate,
  nodeName: string,
  enrolment: Enrolment,
): string | undefined {
  const now = Date.now();
  if (!peer.verify(new X509Certificate(enrolment.authority.caPem).publicKey)) {
    return 'x509: certificate signed by unknown authority';
  }
  if (Date.parse(peer.validTo) < now || Date.parse(peer.validFrom) > now) {
    return 'x509: certificate has expired or is not yet valid';
  }
  if (!enrolment.profile.checksRotationSubject) return undefined;
  const lines = peer.subject.split('\n');
  if (lines.includes('O=KubeEdge') && lines.includes('CN=kubeedge.io')) return undefined;
  const isOwn = lines.includes('O=system:nodes') && lines.includes(`CN=system:node:${nodeName}`);
  return isOwn ? undefined : 'request node name is not match with the certificate';
}
