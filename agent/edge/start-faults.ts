import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { UnixSockets } from '../core/program.ts';
import type { Fault } from '../core/unit-spec.ts';
import { judgeCertificate, readCertificate } from './certificate.ts';
import { factsOf } from './compatibility.ts';
import type { EdgePlaces } from './edge-places.ts';
import { readCertificates } from './join-look.ts';
import type { NodeRecord } from './node-record.ts';
import type { Release } from './release.ts';
import type { TokenFiles } from './token-files.ts';

const socketMs = 2_000;
const rejoin = 'get a fresh token and run `agentctl rejoin --token-file FILE`';

/** A board that was never told its cluster. */
export const notJoined = permanent('NotJoined', 'This board has joined no cluster; run `agentctl join`');

/** A board whose join was cut short; it lasts for a moment. */
export const undoing = { reason: 'JoinUndone', message: 'A join that was cut short is being taken back' };

/** A board whose record is there and cannot be read. */
export const unread = {
  reason: 'RecordUnreadable',
  message: 'What this board has joined cannot be read just now; it is tried again, see `agentctl logs agent`',
};

/** edgecore with a certificate that is over tries for ever without saying why, so it is not started. */
export async function certificateFault(
  ports: { readonly files: Files; readonly clock: Clock; readonly tokens: TokenFiles },
  places: EdgePlaces,
  record: NodeRecord,
  minor: number,
): Promise<Fault | undefined> {
  const texts = await readCertificates(ports.files, places);
  if (await ports.tokens.hasToken()) return undefined;
  if (texts === undefined)
    return permanent('TokenMissing', `There is neither a certificate nor a token; ${rejoin}`);
  const facts = readCertificate(texts.certPem, texts.caPem);
  if (facts === undefined)
    return permanent('CertificateUnreadable', `The certificate of the node cannot be read; ${rejoin}`);
  const verdict = judgeCertificate(facts, { name: record.node, minor }, ports.clock.wallMs());
  const isHopeless = ['Expired', 'WrongAuthority', 'WrongName'].includes(verdict.reason);
  if (verdict.status === 'true' || !isHopeless) return undefined;
  return permanent(`Certificate${verdict.reason}`, verdict.message);
}

/** edgecore that finds no runtime dies within a second, on a fresh node before it has enrolled. */
export async function runtimeFault(
  sockets: UnixSockets,
  { runtime }: NodeRecord,
  release: Release,
): Promise<Fault | undefined> {
  if (!factsOf(release.minor).runtimes.includes(runtime.kind)) {
    const message = `KubeEdge ${release.text} has no dockershim any more, and this board joined with ${runtime.kind}; run \`agentctl rejoin\`, then the containerd of dockerd serves it`;
    return permanent('RuntimeUnfit', message);
  }
  const path = runtime.endpoint.replace(/^unix:\/\//, '');
  const state = await sockets.state(path, socketMs);
  if (state === 'listening') return undefined;
  const what = state === 'absent' ? 'does not exist' : 'is left over and nobody listens on it';
  const fix = runtime.kind === 'cri' ? 'dockerd must run with --cri-containerd' : 'dockerd must run';
  const message = `The socket of the container runtime, ${path}, ${what}; ${fix}`;
  return { reason: 'RuntimeNotReady', message, isPermanent: false };
}

function permanent(reason: string, message: string): Fault {
  return { reason, message, isPermanent: true };
}
