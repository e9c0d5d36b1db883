import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ContainerdClient } from '../../agent/host/containerd-client.ts';

const client = new ContainerdClient();
/** A message of gRPC that holds nothing, as a list of no namespaces is. */
const empty = Buffer.alloc(5);

async function listening(t: TestContext, server: net.Server | http2.Http2Server): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'containerd-client-'));
  const socket = path.join(directory, 'containerd.sock');
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  return socket;
}

/** A gRPC server made of Node's own HTTP/2, which is strict about what it is sent. */
function grpc(t: TestContext, handle: (stream: http2.ServerHttp2Stream) => void, seen: unknown[] = []) {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    const body: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => body.push(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      seen.push([headers[':method'], headers[':path'], headers['content-type'], headers['te']]);
      seen.push(Buffer.concat(body));
      handle(stream);
    });
  });
  return listening(t, server);
}

const grpcHead = { ':status': 200, 'content-type': 'application/grpc' };

test('a containerd that lists its namespaces, be it none, answers; the question is whole', async (t) => {
  const seen: unknown[] = [];
  const socket = await grpc(
    t,
    (stream) => {
      stream.respond(grpcHead, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(empty);
    },
    seen,
  );
  assert.equal(await client.listsNamespaces(socket, 20_000), true);
  const line = ['POST', '/containerd.services.namespaces.v1.Namespaces/List', 'application/grpc', 'trailers'];
  assert.deepEqual(seen, [line, empty]);
});

test('one that does not know the service, breaks off or hangs up has not listed them', async (t) => {
  const ways: readonly ((stream: http2.ServerHttp2Stream) => void)[] = [
    (stream) => stream.respond({ ...grpcHead, 'grpc-status': '12' }, { endStream: true }),
    (stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR),
    (stream) => stream.session?.goaway(),
    (stream) => stream.session?.destroy(),
  ];
  for (const way of ways) {
    const socket = await grpc(t, way);
    assert.equal(await client.listsNamespaces(socket, 20_000), false);
  }
});

test('one that accepts and says nothing is waited for no longer than told; nobody there is an answer at once', async (t) => {
  const held: net.Socket[] = [];
  const socket = await listening(
    t,
    net.createServer((connection) => held.push(connection)),
  );
  assert.equal(await client.listsNamespaces(socket, 50), false);
  for (const connection of held) connection.destroy();
  assert.equal(await client.listsNamespaces(`${socket}.absent`, 20_000), false);
});

test('an answer in single bytes is understood, one without an end is given up', async (t) => {
  const whole = Buffer.from('0000000400000000000000050000000000010000000000', 'hex');
  const slow = await listening(
    t,
    net.createServer({ noDelay: true }, (connection) => {
      connection.on('error', () => undefined);
      for (const byte of whole) connection.write(Buffer.from([byte]));
    }),
  );
  assert.equal(await client.listsNamespaces(slow, 20_000), true);
  const endless = await listening(
    t,
    net.createServer((connection) => {
      connection.on('error', () => undefined);
      connection.write(Buffer.concat([Buffer.from('ffffff040000000000', 'hex'), Buffer.alloc(70_000)]));
    }),
  );
  assert.equal(await client.listsNamespaces(endless, 20_000), false);
});
