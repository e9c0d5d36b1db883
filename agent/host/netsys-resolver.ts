import { createConnection } from 'node:net';

/** Where netsys answers musl's resolver (netmanager_base dns_config_client.h DNS_SOCKET_PATH). */
export const netsysSocket = '/dev/unix/socket/dnsproxyd';

const timeoutMs = 1_000;
const getConfig = 1;
const serverBytes = 51;
const maxServers = 5;

/**
 * Name servers of the network that the board uses now, as OpenHarmony's netsys knows them from DHCP; undefined where
 * there is no netsys or it does not answer. The baked-in /etc/resolv.conf is never updated by anybody.
 *
 * The wire is a C struct and grew: requests are {uid, command, netId} since 4.1 and {command, netId} before, answers have
 * 16 or 12 bytes before the five names of 51 bytes each (netmanager_base dns_config_client.h). The newer form is tried
 * first; an older netsys hangs up on it.
 */
export async function liveNameServers(path: string): Promise<readonly string[] | undefined> {
  for (const request of [
    [0, getConfig, 0],
    [getConfig, 0],
  ]) {
    const answer = await ask(path, words(request));
    if (answer === undefined) return undefined;
    const servers = parseAnswer(answer);
    if (servers !== undefined) return servers;
  }
  return undefined;
}

function words(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) buffer.writeUInt32LE(value, 4 * index);
  return buffer;
}

/** Bytes until the answer is whole, the other side hangs up or the time is over; undefined where nobody listens. */
function ask(path: string, request: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    let got = Buffer.alloc(0);
    const end = (answer: Buffer | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(got));
    socket.once('connect', () => socket.write(request));
    socket.once('error', () => end(got.length > 0 ? got : undefined));
    socket.once('close', () => end(got));
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      if (got.length >= paddedBytes(16)) end(got);
    });
  });
}

/** Size of the struct with its padding. */
function paddedBytes(head: number): number {
  return Math.ceil((head + maxServers * serverBytes) / 4) * 4;
}

/** Names of an answer of either form; undefined where it is no whole answer. */
export function parseAnswer(answer: Uint8Array): readonly string[] | undefined {
  const head = answer.length >= paddedBytes(16) ? 16 : 12;
  if (answer.length < paddedBytes(head)) return undefined;
  const bytes = Buffer.from(answer);
  if (bytes.readInt32LE(0) < 0) return [];
  const names = Array.from({ length: maxServers }, (_, index) => {
    const start = head + index * serverBytes;
    const field = bytes.subarray(start, start + serverBytes);
    const length = field.indexOf(0);
    return field.toString('latin1', 0, length === -1 ? serverBytes : length);
  });
  return names.filter((name) => /^[0-9a-fA-F.:]{2,45}$/.test(name));
}
