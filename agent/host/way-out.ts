import { createSocket, type SocketOptions } from 'node:dgram';

/** Reserved for ever (RFC 1112 4, RFC 6666): no network has it, so only a default route leads there. TEST-NETs do serve as networks. */
const nowhere = { udp4: '240.0.0.1', udp6: '100::1' } as const;
/** What the kernel says where no route leads, or one that refuses. */
const noWay = new Set([
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EACCES',
  'EINVAL',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
]);

/**
 * Addresses are taken as they are. Node's own look-up does that too, but first loads its module for names and compiles its
 * pattern of IPv6 addresses, which was a good part of the first look.
 */
const asItIs: SocketOptions['lookup'] = (address, family, callback) =>
  queueMicrotask(() => callback(null, address, Number(family)));

/**
 * Asks the kernel from which of its addresses a connection of the board would leave, all policy rules considered. A
 * datagram socket is given a peer and read back: no packet, no process. `address` is absent where there is no way out;
 * the whole answer is, where no socket could be had.
 */
export function askWayOut(
  family: keyof typeof nowhere = 'udp4',
): Promise<{ readonly address?: string } | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: family, lookup: asItIs });
    const end = (answer: { readonly address?: string } | undefined): void => {
      socket.removeAllListeners();
      socket.close();
      resolve(answer);
    };
    const failed = (error: NodeJS.ErrnoException): void => end(noWay.has(error.code ?? '') ? {} : undefined);
    socket.once('error', failed);
    // The types say that the callback gets nothing; it gets the error of a failed connection (node:dgram).
    socket.connect(9, nowhere[family], ((error?: NodeJS.ErrnoException) => {
      if (error === undefined || error === null) end({ address: socket.address().address });
      else failed(error);
    }) as () => void);
  });
}
