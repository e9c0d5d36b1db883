import { findSymptom, type Symptom } from '../core/end-faults.ts';
import type { Note } from '../core/unit-spec.ts';

/**
 * What a running edgecore says about its link to the cloud (kubeedge/kubeedge edge/pkg/edgehub/edgehub.go,
 * clients/wsclient/websocket.go). It tries for ever and never ends for these.
 */
const symptoms: readonly Symptom[] = [
  row(
    /x509: certificate has expired or is not yet valid: current time \S+ is before/,
    'ClockWrong',
    "The board's clock is behind: the cloud's certificate begins in its future",
  ),
  row(
    /x509: certificate has expired/,
    'CloudCertificateExpired',
    "The cloud's certificate is over, or the board's clock is wrong; renew cloudcore's certificate",
  ),
  row(
    /x509: certificate is valid for/,
    'CloudNameMismatch',
    "The cloud's certificate is not for the address in use; correct cloudHub.advertiseAddress of cloudcore",
  ),
  row(
    /x509: certificate signed by unknown authority/,
    'WrongAuthority',
    'The cloud has another certificate authority now; rejoin with a fresh token',
  ),
  row(
    /tls: expired certificate|remote error: tls: expired/,
    'CertificateExpired',
    "The node's certificate is over; rejoin with a fresh token",
  ),
  row(
    /remote error: tls: (bad certificate|unknown certificate|certificate required|unknown certificate authority)/,
    'CertificateRejected',
    "The cloud does not accept the node's certificate; rejoin with a fresh token",
  ),
  row(
    /connection refused/,
    'CloudRefused',
    'cloudcore refuses connections; is it up, and is port 10000 open',
  ),
  row(
    /no such host|server misbehaving|name resolution/,
    'CloudNameUnknown',
    'The name of cloudcore has no address; check the name servers',
  ),
  row(
    /no route to host|network is unreachable/,
    'CloudNoRoute',
    'cloudcore cannot be reached from here; check the network',
  ),
  row(
    /i\/o timeout|deadline exceeded|handshake timeout/,
    'CloudTimedOut',
    'cloudcore does not answer; a firewall may drop the packets',
  ),
  row(/bad handshake/, 'CloudNotCloudcore', 'What answers is no CloudHub; check the port, mostly 10000'),
];

const about = /websocket|connect|Connect|dial|ws\.go/;
const success = /Websocket connect to cloud access successful/;
/** Connections within what is kept of the log that mean that somebody takes the session away again and again. */
const stolenAfter = 4;

/** Reads from edgecore's last lines why it has no link. */
export function explainMissingLink(lines: readonly string[]): Note {
  const talk = lines.filter((line) => about.test(line));
  const connections = talk.filter((line) => success.test(line)).length;
  const since = talk.slice(talk.findLastIndex((line) => success.test(line)) + 1);
  const fault = findSymptom(since, symptoms);
  if (fault !== undefined) return { reason: fault.reason, message: `${fault.message}. edgecore tries again` };
  if (connections >= stolenAfter) {
    return {
      reason: 'SessionTaken',
      message:
        'The cloud ends the session again and again: another board probably uses the same node name; give one of them another with `agentctl rejoin --node-name`',
    };
  }
  if (
    since.some((line) =>
      /connection is broken|websocket (read|write) error|failed to read message/.test(line),
    )
  ) {
    return {
      reason: 'LinkBroken',
      message: 'The session with the cloud broke; edgecore waits 30 s and connects again',
    };
  }
  return { reason: 'Connecting', message: 'edgecore has no session with the cloud yet' };
}

function row(pattern: RegExp, reason: string, message: string): Symptom {
  return { pattern, reason, message };
}
