import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name that exists in the virtual networks only, and its address. */
export const labName = { name: 'greeting.lab.example', address: '198.51.100.77' };

/** Answers names for the virtual networks, as the router of a home does. */
export interface NameServer {
  /** UDP port on the host's loopback. */
  readonly port: number;
  close(): void;
}

/** Starts a name server that knows one name; for any other it says that it does not exist (RFC 1035 4.1). */
export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const reply = answerQuery(query);
    if (reply !== undefined) socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  // A board that is gone leaves an unreachable port behind, which is no fault of the lab.
  socket.on('error', () => undefined);
  return { port: socket.address().port, close: () => socket.close() };
}

const headBytes = 12;
const addressType = 1;
const noSuchName = 3;

/** The answer to a query with one question; undefined where it is none. */
export function answerQuery(query: Uint8Array): Uint8Array | undefined {
  const bytes = Buffer.from(query);
  if (bytes.length < headBytes || (bytes.readUInt8(2) & 0x80) !== 0 || bytes.readUInt16BE(4) !== 1)
    return undefined;
  const labels: string[] = [];
  let at = headBytes;
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + size));
    at += 1 + size;
  }
  const end = at + 5;
  if (end > bytes.length) return undefined;
  const isKnown = labels.join('.').toLowerCase() === labName.name;
  const hasAddress = isKnown && bytes.readUInt16BE(at + 1) === addressType;
  const head = Buffer.from(bytes.subarray(0, headBytes));
  head.writeUInt16BE(0x8580 | (isKnown ? 0 : noSuchName), 2);
  head.writeUInt16BE(hasAddress ? 1 : 0, 6);
  head.fill(0, 8, headBytes);
  // A pointer to the name, type A, class IN, one minute, four bytes.
  const record = Buffer.from([0xc0, headBytes, 0, addressType, 0, 1, 0, 0, 0, 60, 0, 4]);
  const address = Buffer.from(labName.address.split('.').map(Number));
  return Buffer.concat([head, bytes.subarray(headBytes, end), ...(hasAddress ? [record, address] : [])]);
}
