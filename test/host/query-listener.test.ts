import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Question, QuestionAnswer } from '../../agent/core/question.ts';
import { HttpClient } from '../../agent/host/http-client.ts';
import { QueryListener } from '../../agent/host/query-listener.ts';

const forever = new AbortController().signal;

async function listening(t: TestContext): Promise<{ url: string; port: number; asked: Question[] }> {
  const asked: Question[] = [];
  const desk = {
    answer: (question: Question): Promise<QuestionAnswer> => {
      asked.push(question);
      return Promise.resolve({ type: 'application/json', body: '{"ok":true}' });
    },
  };
  const listener = new QueryListener(desk, 0);
  await listener.start();
  t.after(() => listener.stop());
  return { url: `http://127.0.0.1:${listener.port}`, port: listener.port, asked };
}

test('every question is answered with 200, whatever its method, headers and body', async (t) => {
  const { url, asked } = await listening(t);
  const client = new HttpClient();
  const reply = await client.call(
    { method: 'GET', url: `${url}/agent-health?x=1`, timeoutMs: 2_000 },
    forever,
  );
  assert.deepEqual(reply, { status: 200, body: '{"ok":true}' });
  const patched = await client.call(
    { method: 'PATCH', url: `${url}/x`, body: 'a'.repeat(60_000), timeoutMs: 2_000 },
    forever,
  );
  assert.equal(patched.status, 200);
  assert.deepEqual(
    asked.map(({ method, target }) => `${method} ${target}`),
    ['GET /agent-health?x=1', 'PATCH /x'],
  );
});

test('a packet full of questions costs one answer', async (t) => {
  const { port, asked } = await listening(t);
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('GET /logs/dockerd HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
  await closed;
  assert.equal(asked.length, 1);
});

test('a huge body, headers without end and what is no HTTP are answered all the same, with 200 and an error', async (t) => {
  const { url, port, asked } = await listening(t);
  const client = new HttpClient();
  const huge = await client.call(
    { method: 'PATCH', url, body: 'a'.repeat(200_000), timeoutMs: 5_000 },
    forever,
  );
  assert.match(`${huge.status} ${huge.body}`, /^200 .*its body is above 65536 bytes/);
  for (const text of ['GARBAGE\r\n\r\n', `GET / HTTP/1.1\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`]) {
    const answer = await new Promise<string>((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
      let said = '';
      socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(said));
    });
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n[^]*"code":"REQUEST_INVALID"/);
  }
  assert.equal(asked.length, 0);
  assert.equal((await client.call({ method: 'GET', url, timeoutMs: 2_000 }, forever)).status, 200);
});

test('connections that say nothing, or say it slowly, end by themselves before a question in the cloud is given up', async (t) => {
  const { port, url, asked } = await listening(t);
  const sockets = Array.from({ length: 200 }, () =>
    net.connect(port, '127.0.0.1').on('error', () => undefined),
  );
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  const ends = sockets.map((socket) => {
    let said = '';
    socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
    return new Promise<string>((resolve) => socket.once('close', () => resolve(said)));
  });
  // Those that were let in hold every place; one of them has begun to ask.
  sockets[0]?.write('GET /agent-health HTTP/1.1\r\nx: ');
  const said = await Promise.all(ends);
  assert.match(said[0] ?? '', /^HTTP\/1.1 200 OK\r\n[^]*it came too slowly/);
  assert.equal(asked.length, 0);
  const reply = await new HttpClient().call({ method: 'GET', url, timeoutMs: 5_000 }, forever);
  assert.equal(reply.status, 200);
});

test('a taken port is named with its cure', async (t) => {
  const { port } = await listening(t);
  const second = new QueryListener({ answer: () => Promise.reject(new Error('never')) }, port);
  await assert.rejects(second.start(), /EADDRINUSE; choose another query.port/);
});

test('the client tells nobody there from too slow', async (t) => {
  const server = http.createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  const client = new HttpClient();
  await assert.rejects(
    client.call({ method: 'GET', url: `http://127.0.0.1:${port}/`, timeoutMs: 50 }, forever),
    { code: 'TIMED_OUT' },
  );
  await assert.rejects(client.call({ method: 'GET', url: 'http://127.0.0.1:1/', timeoutMs: 500 }, forever), {
    code: 'AGENT_UNREACHABLE',
  });
});
