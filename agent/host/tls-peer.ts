import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';
import { errnoOf, messageOf } from '../core/agent-error.ts';
import { type FrameTarget, type LinkEnd, LinkError } from '../core/link.ts';
import { unusableFiles } from './unusable-files.ts';

const dialMs = 10_000;
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

interface Secrets {
  readonly authorities: readonly X509Certificate[];
  readonly cert: string;
  readonly key: string;
}

/**
 * Opens a TLS connection that shows exactly one certificate and believes exactly one authority. Given the authority,
 * OpenSSL would add it to the chain that it sends, and a CloudHub with authorization on refuses a client with more than
 * one certificate (kubeedge/kubeedge cloud/pkg/cloudhub/authorization/authorizer.go, 1.18 to 1.23); so the server is
 * checked here, by hand, before the first byte of a request.
 */
export async function dialPeer(target: FrameTarget, signal: AbortSignal): Promise<tls.TLSSocket> {
  const { authorities, cert, key } = await secretsOf(target.tls);
  const { host, port } = target;
  const socket = tls.connect({
    host,
    port,
    cert,
    key,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
  });
  try {
    await connected(socket, signal);
    checkServer(socket.getPeerX509Certificate(), authorities, host);
    return socket;
  } catch (error) {
    socket.on('error', () => undefined);
    socket.destroy();
    if (signal.aborted || error instanceof LinkError) throw error;
    throw new LinkError(endOfSocket(error, target), { cause: error });
  }
}

/** What an error of the socket means to people. */
export function endOfSocket(error: unknown, { host, port }: Pick<FrameTarget, 'host' | 'port'>): LinkEnd {
  const why = errnoOf(error) ?? messageOf(error);
  if (why.startsWith('ERR_SSL') || why === 'EPROTO') {
    const message = `"${host}:${port}" refused our certificate or speaks no TLS that we know: ${why}; if the cloud's authority changed, join again with a new token`;
    return { reason: 'CertificateRejected', message, isPermanent: true };
  }
  if (why.startsWith('WS_ERR')) {
    return {
      reason: 'BadFrame',
      message: `"${host}:${port}" sent what is no frame: ${why}`,
      isPermanent: false,
    };
  }
  return { reason: 'Unreachable', message: `Cannot reach "${host}:${port}": ${why}`, isPermanent: false };
}

async function secretsOf(files: FrameTarget['tls']): Promise<Secrets> {
  try {
    const [ca, chain, key] = await Promise.all([
      readFile(files.caFile, 'utf8'),
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
    ]);
    const cert = chain.match(pemBlock)?.[0] ?? chain;
    checkDates(new X509Certificate(cert), "The node's certificate", '; join again with a new token');
    return { authorities: (ca.match(pemBlock) ?? []).map((pem) => new X509Certificate(pem)), cert, key };
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw unusableFiles("Cannot use the node's certificates", 'join again with a new token', error);
  }
}

function connected(socket: tls.TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.removeListener('error', fail);
      socket.removeListener('close', hungUp);
      act();
    };
    const fail = (error: unknown): void => settle(() => reject(error as Error));
    const hungUp = (): void => fail(new Error('it closed the connection during the handshake'));
    const abort = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(new Error(`no TLS within ${dialMs} ms`)), dialMs);
    socket.once('error', fail);
    socket.once('close', hungUp);
    socket.once('secureConnect', () => settle(resolve));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

function checkServer(
  peer: X509Certificate | undefined,
  authorities: readonly X509Certificate[],
  host: string,
): void {
  if (peer === undefined) refuse('ServerUnknown', `"${host}" showed no certificate`);
  if (!authorities.some((authority) => peer.checkIssued(authority) && peer.verify(authority.publicKey))) {
    const text = `The certificate of "${host}" is not from the authority that this node joined; if the cloud was set up anew, join again`;
    refuse('ServerUnknown', text);
  }
  checkDates(peer, `The certificate of "${host}"`, '; renew it in the cloud');
  const isNamed = net.isIP(host) === 0 ? peer.checkHost(host) : peer.checkIP(host);
  if (isNamed === undefined) {
    const text = `The certificate of "${host}" does not name it but ${peer.subjectAltName ?? 'nobody'}; add it to cloudHub.advertiseAddress or dnsNames in the cloud`;
    refuse('ServerMisnamed', text);
  }
}

function checkDates(certificate: X509Certificate, whose: string, fix: string): void {
  const now = Date.now();
  if (now < Date.parse(certificate.validFrom)) {
    refuse(
      'ClockWrong',
      `${whose} is valid only from ${certificate.validFrom}, and this clock says it is earlier`,
    );
  }
  if (now > Date.parse(certificate.validTo)) {
    refuse('CertificateExpired', `${whose} expired on ${certificate.validTo}${fix}`);
  }
}

function refuse(reason: string, message: string): never {
  throw new LinkError({ reason, message, isPermanent: true });
}
