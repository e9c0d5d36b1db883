import { connect } from 'node:net';
import type { ContainerdApi } from '../core/containerd-api.ts';

/** Most bytes of an answer; a list of namespaces has some hundred. */
const maxBytes = 65_536;
const headBytes = 9;
/** The first stream that a client may open. */
const stream = 1;
/** Types and flags of HTTP/2 frames (RFC 9113, section 6). */
const frames = { data: 0, headers: 1, reset: 3, settings: 4, goAway: 7 } as const;
const endStream = 1;
const endHeaders = 4;

/**
 * One gRPC call written by hand, because both other ways cost more than the answer is worth: `ctr` and dockerd's `/version`
 * start programs each time, and `node:http2` keeps 6 MB.
 */
export class ContainerdClient implements ContainerdApi {
  listsNamespaces(socketPath: string, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(socketPath);
      let got = Buffer.alloc(0);
      const settle = (isListed: boolean): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(isListed);
      };
      const timer = setTimeout(() => settle(false), timeoutMs);
      socket.on('error', () => settle(false));
      socket.on('close', () => settle(false));
      socket.on('data', (chunk: Buffer) => {
        got = Buffer.concat([got, chunk]);
        const isListed = got.length > maxBytes ? false : isAnswered(got);
        if (isListed !== undefined) settle(isListed);
      });
      socket.write(request('/containerd.services.namespaces.v1.Namespaces/List'));
    });
  }
}

/** A call with an empty message. */
function request(path: string): Buffer {
  const fields = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ] as const;
  const emptyMessage = Buffer.alloc(5);
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(frames.settings, 0, 0, Buffer.alloc(0)),
    frame(
      frames.headers,
      endHeaders,
      stream,
      Buffer.concat(fields.map(([name, value]) => field(name, value))),
    ),
    frame(frames.data, endStream, stream, emptyMessage),
  ]);
}

/** A field that no table holds, both texts shorter than 127 bytes and without Huffman's code (RFC 7541, section 6.2.2). */
function field(name: string, value: string): Buffer {
  return Buffer.from(
    `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
  );
}

function frame(type: number, flags: number, id: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** A call that succeeds is answered with a message, be it empty, one that fails with trailers alone; undefined while neither came. */
function isAnswered(bytes: Buffer): boolean | undefined {
  for (let at = 0; at + headBytes <= bytes.length; ) {
    const [type, flags] = [bytes.readUInt8(at + 3), bytes.readUInt8(at + 4)];
    const isOurs = bytes.readUInt32BE(at + 5) === stream;
    if (isOurs && type === frames.data) return true;
    if (isOurs && (type === frames.reset || (type === frames.headers && (flags & endStream) !== 0)))
      return false;
    if (type === frames.goAway) return false;
    at += headBytes + bytes.readUIntBE(at, 3);
  }
  return undefined;
}
