import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** How the server treats one path; `asked` counts requests for it, from 1. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, asked: number) => void;

/** A file server on loopback whose faults are scripted by path; it remembers what was asked. */
export interface FileServer {
  readonly base: string;
  /** Paths with their Range header, in order. */
  readonly asked: string[];
}

/** Starts a server for the time of a test. */
export async function serve(t: TestContext, paths: Readonly<Record<string, Behaviour>>): Promise<FileServer> {
  const asked: string[] = [];
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const name = request.url ?? '/';
    asked.push([name, request.headers.range].filter((word) => word !== undefined).join(' '));
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    const behave = paths[name];
    if (behave === undefined) response.writeHead(404).end();
    else behave(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Serves a file as a good server does, ranges included. */
export function whole(body: Buffer): Behaviour {
  return (request, response) => {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start < body.length) {
      const range = `bytes ${start}-${body.length - 1}/${body.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': body.length - start });
    } else {
      response.writeHead(200, { 'content-length': body.length });
    }
    response.end(body.subarray(start));
  };
}

/** Breaks the connection after some bytes the first time, then serves well. */
export function cutOnce(body: Buffer, after: number): Behaviour {
  return (request, response, asked) => {
    if (asked > 1) {
      whole(body)(request, response, asked);
      return;
    }
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, after), () => response.destroy());
  };
}

/** Sends some bytes and then nothing more, for ever, the first time; then serves well. */
export function stallOnce(body: Buffer, after: number): Behaviour {
  return (request, response, asked) => {
    if (asked > 1) {
      whole(body)(request, response, asked);
      return;
    }
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, after));
  };
}
