import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls, { type PeerCertificate } from 'node:tls';

/**
 * Tells whether a server's certificate is for the host that was called; undefined is yes. `tls.checkServerIdentity` of Node
 * 22.23 refuses every IPv6 address (seen with `::1`; Node 20.20 takes it), so addresses are compared by OpenSSL instead.
 */
export function checkServerIdentity(host: string, certificate: PeerCertificate): Error | undefined {
  if (net.isIPv6(host) && new X509Certificate(certificate.raw).checkIP(host) !== undefined) return undefined;
  return tls.checkServerIdentity(host, certificate);
}
