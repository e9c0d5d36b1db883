import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { isAgentError } from '../../agent/core/agent-error.ts';
import type { Api, ApiAnswer } from '../../agent/core/api-port.ts';
import { connected, exchange, makeWay, startWay, textUntilClose } from './api-way.ts';

const signal = new AbortController().signal;
const get = (target: string, ...headers: string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: agent', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`;

test('a client gets the status through a real socket', async (t) => {
  const { client, verbs } = await startWay(t);
  assert.deepEqual(await client.status(signal), verbs.status());
});

test('an error of the agent arrives at the client with its code and words', async (t) => {
  const { client } = await startWay(t);
  await assert.rejects(client.unit('start', 'nobody', signal), (error) => {
    return isAgentError(error, 'UNIT_UNKNOWN') && /want one of dockerd, edgecore/.test(error.message);
  });
});

test('a reading way in answers the status and refuses every change', async (t) => {
  const { client, verbs } = await startWay(t, { may: ['observe'] });
  assert.equal((await client.status(signal)).wire, 1);
  await assert.rejects(client.unit('stop', 'dockerd', signal), /nothing is changed/);
  assert.equal(verbs.units.get('dockerd')?.wanted, 'up');
});

const browsers: readonly (readonly [string, string])[] = [
  ['Origin', 'Origin: https://evil.example'],
  ['Referer', 'Referer: https://evil.example/page'],
  ['Sec-Fetch-Site', 'Sec-Fetch-Site: cross-site'],
  ['a preflight', 'Access-Control-Request-Method: POST'],
];
for (const [name, header] of browsers) {
  test(`a request with ${name} is refused as a browser's`, async (t) => {
    const { path: file } = await startWay(t);
    assert.match(await exchange(file, get('/v1/status', header)), /^HTTP\/1.1 403 .*from a browser/s);
  });
}

test('a request for another host is refused: a name that was pointed here by DNS', async (t) => {
  const { path: file } = await startWay(t);
  const text = get('/v1/status').replace('Host: agent', 'Host: evil.example');
  assert.match(await exchange(file, text), /^HTTP\/1.1 403 /);
});

test('a WebSocket of a browser is refused before it is one', async (t) => {
  const { path: file } = await startWay(t);
  const headers = [
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Origin: https://evil.example',
  ];
  const text = get('/v1/watch', ...headers).replace('Connection: close', 'Connection: Upgrade');
  assert.match(await exchange(file, text), /^HTTP\/1.1 403 .*FORBIDDEN/s);
});

test('a body that is not declared as JSON is refused: an HTML form cannot change anything', async (t) => {
  const { path: file, verbs } = await startWay(t);
  const form = 'for=reboot';
  const head = `POST /v1/shutdown HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${form.length}\r\n\r\n`;
  assert.match(await exchange(file, head + form), /^HTTP\/1.1 400 .*application\/json/s);
  assert.equal(verbs.asked.shutdown, undefined);
});

test('a body above the bound is refused and the connection closed', async (t) => {
  const { path: file } = await startWay(t, { limits: { bodyBytes: 1_000, idleMs: 50 } });
  const head =
    'POST /v1/shutdown HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: 1001\r\n\r\n';
  assert.match(await exchange(file, head + 'x'.repeat(1_001)), /^HTTP\/1.1 413 .*at most 1000 bytes/s);
});

test('a body without length is cut off at the bound however long it would be', async (t) => {
  const { path: file } = await startWay(t, { limits: { bodyBytes: 1_000, headersMs: 300, requestMs: 300 } });
  const socket = await connected(file);
  const answer = textUntilClose(socket);
  socket.write(
    'POST /v1/shutdown HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  const chunk = `${(10_000).toString(16)}\r\n${'x'.repeat(10_000)}\r\n`;
  const feed = setInterval(() => socket.write(chunk), 1);
  const text = await answer;
  clearInterval(feed);
  assert.match(text, /^HTTP\/1.1 413 /);
});

test('headers that never end are answered with 408 and closed', async (t) => {
  const { path: file } = await startWay(t, { limits: { headersMs: 200, requestMs: 200 } });
  assert.match(await exchange(file, 'GET /v1/status HTTP/1.1\r\nHost: agent\r\nX-Slow: '), /^HTTP\/1.1 408 /);
});

test('a body that never ends is answered with 408 and closed', async (t) => {
  const { path: file } = await startWay(t, { limits: { headersMs: 200, requestMs: 200 } });
  const head =
    'POST /v1/apply HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
  assert.match(await exchange(file, head), /^HTTP\/1.1 408 /);
});

test('a connection that says nothing is closed', async (t) => {
  const { path: file } = await startWay(t, { limits: { headersMs: 200, requestMs: 200 } });
  await exchange(file, '');
});

test('a refused asker that never closes its side is cut off', async (t) => {
  const { path: file } = await startWay(t, { limits: { headersMs: 100, requestMs: 100 } });
  const socket = connect({ path: file, allowHalfOpen: true });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined);
  socket.resume();
  const feed = setInterval(() => socket.write('x'), 5);
  await closed;
  clearInterval(feed);
});

test('headers above the bound are answered with 431', async (t) => {
  const { path: file } = await startWay(t);
  assert.match(await exchange(file, get('/v1/status', `X-Big: ${'x'.repeat(10_000)}`)), /^HTTP\/1.1 431 /);
});

test('a query above the bound is answered with 431', async (t) => {
  const { path: file } = await startWay(t);
  assert.match(await exchange(file, get(`/v1/logs?grep=${'x'.repeat(100_000)}`)), /^HTTP\/1.1 431 /);
});

test('bytes that are no HTTP never take the agent down', async (t) => {
  const { path: file, client } = await startWay(t, { limits: { headersMs: 100, requestMs: 100 } });
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (bytes) => {
      await exchange(file, bytes);
    }),
    { numRuns: 20 },
  );
  assert.equal((await client.version(signal)).wire, 1);
});

test('two requests hidden in one are answered as what they are', async (t) => {
  const { path: file, verbs } = await startWay(t);
  const smuggled =
    'POST /v1/apply HTTP/1.1\r\nHost: agent\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/status HTTP/1.1\r\n\r\n';
  verbs.steps = [{ id: 'a', kind: 'mount', what: 'mount', why: 'why' }];
  assert.match(await exchange(file, smuggled), /^HTTP\/1.1 400 /);
  assert.equal(verbs.steps.length, 1);
});

test('a packet full of requests costs one answer: the connection ends, and others are served', async (t) => {
  let asked = 0;
  const never = new Promise<ApiAnswer>(() => undefined);
  const api: Api = {
    handle: () => {
      asked += 1;
      return never;
    },
    open: () => ({ how: 'refused', answer: { status: 404, body: {} } }),
  };
  const { path: file } = await startWay(t, { api });
  assert.equal(
    await exchange(file, 'GET /v1/logs?n=10000 HTTP/1.1\r\nHost: agent\r\n\r\n'.repeat(1_000)),
    '',
  );
  assert.equal(asked, 1);
});

test('one connection may ask again and again, as soon as it has its answer', async (t) => {
  const { path: file } = await startWay(t);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ports = new Set<unknown>();
  for (let turn = 0; turn < 300; turn += 1) {
    const status = await new Promise((resolve, reject) => {
      const options = { socketPath: file, path: '/v1/status', headers: { host: 'agent' }, agent };
      const request = http.get(options, (response) => {
        ports.add(response.socket);
        response.resume().once('end', () => resolve(response.statusCode));
      });
      request.once('error', reject);
    });
    assert.equal(status, 200);
  }
  assert.equal(ports.size, 1);
});

test('large answers that nobody reads are bounded, small ones go on, and who reads makes room', async (t) => {
  const api: Api = {
    handle: ({ target }) =>
      Promise.resolve({ status: 200, body: 'x'.repeat(target === '/large' ? 4_000_000 : 1_000) }),
    open: () => ({ how: 'refused', answer: { status: 404, body: {} } }),
  };
  const { path: file } = await startWay(t, { api });
  const lazy = await Promise.all(Array.from({ length: 4 }, () => connected(file)));
  for (const socket of lazy) socket.pause().write(get('/large'));
  await Promise.all(lazy.map((socket) => new Promise((resolve) => socket.once('readable', resolve))));
  assert.match(await exchange(file, get('/large')), /^HTTP\/1.1 409 .*BUSY/s);
  assert.match(await exchange(file, get('/small')), /^HTTP\/1.1 200 /);
  await Promise.all(lazy.map(textUntilClose));
  assert.match(await exchange(file, get('/large')), /^HTTP\/1.1 200 /);
});

test('connections above the bound are closed at once, said once in the log, and those inside are served', async (t) => {
  const { path: file, log } = await startWay(t, { limits: { connections: 4, headersMs: 60_000 } });
  const inside = await Promise.all(Array.from({ length: 4 }, () => connected(file)));
  const outside = await Promise.all(Array.from({ length: 20 }, () => connected(file)));
  await Promise.all(outside.map(textUntilClose));
  const answers = inside.map(textUntilClose);
  for (const socket of inside) socket.write(get('/v1/version'));
  for (const text of await Promise.all(answers)) assert.match(text, /^HTTP\/1.1 200 /);
  assert.equal(log.events().filter((event) => event === 'api.connections.dropped').length, 1);
});

test('10,000 idle connections cost little memory and the agent answers again when their time is over', async (t) => {
  const { path: file, client } = await startWay(t, { limits: { headersMs: 500, requestMs: 500 } });
  const before = process.memoryUsage().heapUsed;
  const ends: Promise<string>[] = [];
  while (ends.length < 10_000) {
    // A full accept queue refuses a connection (EAGAIN): that costs the agent nothing at all, so it does not count.
    const sockets = await Promise.allSettled(Array.from({ length: 100 }, () => connected(file)));
    const open = sockets.flatMap((one) => (one.status === 'fulfilled' ? [textUntilClose(one.value)] : []));
    ends.push(...open);
    await Promise.race(open);
  }
  await Promise.all(ends);
  assert.equal((await client.version(signal)).wire, 1);
  const growth = process.memoryUsage().heapUsed - before;
  // Both ends live in this process; the bound is for both together.
  assert.ok(growth < 100_000_000, `heap grew by ${growth} bytes`);
});

test('a stopped listener refuses new connections and its socket is gone', async (t) => {
  const way = await startWay(t);
  await way.listener.stop();
  await assert.rejects(stat(way.path), { code: 'ENOENT' });
  await assert.rejects(way.client.status(signal), (error) => isAgentError(error, 'AGENT_UNREACHABLE'));
});

test('a stop does not wait for idle connections', async (t) => {
  const way = await startWay(t, { limits: { headersMs: 60_000, idleMs: 60_000 } });
  const idle = textUntilClose(await connected(way.path));
  await way.listener.stop();
  await idle;
});

test('a listener that was never started can be stopped', async () => {
  await makeWay(path.join('/tmp', 'oh-api-never', 'agent.sock')).listener.stop();
});
