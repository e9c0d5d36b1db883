import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { DockerClient } from '../../agent/host/docker-client.ts';

const never = new AbortController().signal;

async function engine(
  t: TestContext,
  handle: http.RequestListener,
): Promise<{ client: DockerClient; server: http.Server }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'docker-client-'));
  const socket = path.join(directory, 'docker.sock');
  const server = http.createServer(handle).listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(directory, { recursive: true });
  });
  return { client: new DockerClient(socket), server };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

test('a request carries its JSON body and gives back any status', async (t) => {
  const { client } = await engine(t, (request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      response
        .writeHead(409)
        .end(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`);
    });
  });
  const answer = await client.request(
    { method: 'POST', path: '/containers/create?name=x', body: { Image: 'y' }, timeoutMs: 5_000 },
    never,
  );
  assert.equal(answer.status, 409);
  assert.equal(text(answer.body), 'POST /containers/create?name=x application/json {"Image":"y"}');
});

test('an archive is sent as it is', async (t) => {
  const { client } = await engine(t, (request, response) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
    });
    request.on('end', () => response.end(`${request.headers['content-type']} ${size}`));
  });
  const body = new Uint8Array(3_000_000);
  const answer = await client.request(
    { method: 'POST', path: '/images/load', body, timeoutMs: 5_000 },
    never,
  );
  assert.equal(text(answer.body), 'application/x-tar 3000000');
});

test('nobody behind the socket is told with the fix', async () => {
  const client = new DockerClient('/no/such/docker.sock');
  await assert.rejects(client.request({ method: 'GET', path: '/_ping', timeoutMs: 1_000 }, never), {
    code: 'TOOL_FAILED',
    message: /"\/no\/such\/docker.sock" gives ENOENT; see `agentctl logs dockerd`/,
  });
});

test('an engine that accepts and says nothing is given up at the deadline, without a connection left', async (t) => {
  const { client, server } = await engine(t, () => undefined);
  await assert.rejects(client.request({ method: 'GET', path: '/_ping', timeoutMs: 50 }, never), {
    code: 'TIMED_OUT',
  });
  await connectionsGone(server);
});

test('an engine that stops in mid-answer is given up at the deadline too', async (t) => {
  const { client } = await engine(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
  });
  await assert.rejects(client.request({ method: 'GET', path: '/info', timeoutMs: 50 }, never), {
    code: 'TIMED_OUT',
  });
});

test('a connection cut in mid-answer is an error, not a short answer', async (t) => {
  const { client } = await engine(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
  });
  await assert.rejects(client.request({ method: 'GET', path: '/info', timeoutMs: 5_000 }, never), {
    code: 'TOOL_FAILED',
  });
});

test('an endless answer is refused at 4 MiB', async (t) => {
  const { client, server } = await engine(t, (_request, response) => {
    const chunk = Buffer.alloc(65_536);
    const pump = (): void => {
      while (response.write(chunk)) if (response.destroyed) return;
      response.once('drain', pump);
    };
    pump();
  });
  await assert.rejects(client.request({ method: 'GET', path: '/logs', timeoutMs: 5_000 }, never), {
    code: 'TOO_LARGE',
  });
  await connectionsGone(server);
});

test('an abort ends a request at once with its reason', async (t) => {
  const { client } = await engine(t, () => undefined);
  const abort = new AbortController();
  const asked = client.request({ method: 'GET', path: '/_ping', timeoutMs: 60_000 }, abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(asked, { message: 'enough' });
  await assert.rejects(client.request({ method: 'GET', path: '/_ping', timeoutMs: 1 }, abort.signal), {
    message: 'enough',
  });
});

async function connectionsGone(server: http.Server): Promise<void> {
  const count = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, open) => resolve(open)));
  while ((await count()) > 0) await new Promise((resolve) => setImmediate(resolve));
}
