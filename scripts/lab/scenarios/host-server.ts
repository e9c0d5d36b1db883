import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';

/** A web server on the host's loopback, which the board sees as 10.0.2.2 and 10.0.3.2. */
export interface HostServer extends AsyncDisposable {
  readonly port: number;
  readonly answer: string;
}

/** Starts a server that answers every request with the same line. */
export async function startHostServer(): Promise<HostServer> {
  const answer = 'hello from the host\n';
  const server = createHttpServer((_request, response) => response.end(answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
