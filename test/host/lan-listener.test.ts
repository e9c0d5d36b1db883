import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { createApi } from '../../agent/api/api.ts';
import type { Api, ApiRequest } from '../../agent/core/api-port.ts';
import { LanListener } from '../../agent/host/lan-listener.ts';
import { FakeVerbs } from '../fakes/fake-verbs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority in a folder, made with openssl; it can revoke. */
class Authority {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'lan-'));
  #count = 0;

  constructor() {
    writeFileSync(this.file('index.txt'), '');
    writeFileSync(this.file('crlnumber'), '01\n');
    writeFileSync(
      this.file('ca.conf'),
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${this.file('index.txt')}\ncrlnumber=${this.file('crlnumber')}\ndefault_md=sha256\ndefault_crl_days=2\n`,
    );
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    this.#openssl(
      'req',
      '-x509',
      ...curve,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=lan',
    );
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  issue(): Pair & { readonly name: string } {
    this.#count += 1;
    const name = `leaf${this.#count}`;
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    this.#openssl('req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject);
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(this.#count + 100)];
    this.#openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signer,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-copy_extensions',
      'copy',
    );
    return {
      name,
      cert: readFileSync(this.file(`${name}.pem`), 'utf8'),
      key: readFileSync(this.file(`${name}.key`), 'utf8'),
    };
  }

  revoke(name: string): void {
    const ca = ['-config', 'ca.conf', '-keyfile', 'ca.key', '-cert', 'ca.pem'];
    this.#openssl('ca', ...ca, '-revoke', `${name}.pem`);
    this.#openssl('ca', ...ca, '-gencrl', '-out', 'crl.pem');
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.directory, stdio: 'ignore' });
  }
}

async function listening(
  t: TestContext,
  { isRevoking = false, api: other }: { readonly isRevoking?: boolean; readonly api?: Api } = {},
) {
  const authority = new Authority();
  t.after(() => rmSync(authority.directory, { recursive: true }));
  const server = authority.issue();
  const revoked = authority.issue();
  if (isRevoking) authority.revoke(revoked.name);
  const asked: ApiRequest[] = [];
  const api: Api = {
    handle: (request) => {
      asked.push(request);
      return Promise.resolve({ status: 200, body: { path: request.target } });
    },
    open: () => ({
      how: 'opened',
      start: (sink) => {
        sink.send({ type: 'snapshot' });
        return () => undefined;
      },
    }),
  };
  const listener = new LanListener({
    api: other ?? api,
    pages: (page) =>
      Promise.resolve(page === '/metrics' ? { status: 200, type: 'text/plain', body: 'up 1\n' } : undefined),
    log: new QuietLog(),
    address: '127.0.0.1',
    port: 0,
    tls: {
      caFile: authority.file('ca.pem'),
      certFile: authority.file(`${server.name}.pem`),
      keyFile: authority.file(`${server.name}.key`),
      revokedFile: isRevoking ? authority.file('crl.pem') : undefined,
    },
  });
  await listener.start();
  t.after(() => listener.stop());
  return { authority, listener, asked, revoked, client: authority.issue() };
}

interface Asked {
  readonly port: number;
  readonly pair?: Pair;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Status and body, or the error that the connection ended with. */
function ask({
  port,
  pair,
  method = 'GET',
  target = '/v1/status',
  headers = {},
  body,
}: Asked): Promise<string> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: target,
      method,
      headers,
      rejectUnauthorized: false,
      agent: false,
    };
    const request = https.request(
      { ...options, ...(pair === undefined ? {} : { cert: pair.cert, key: pair.key }) },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('close', () => resolve(`${response.statusCode} ${text.trim()}`));
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => resolve(`error ${error.code ?? error.message}`));
    request.end(body);
  });
}

test('a client of the authority reads, and nothing more', async (t) => {
  const { listener, asked, client } = await listening(t);
  const { port } = listener;
  assert.equal(await ask({ port, pair: client }), '200 {"path":"/v1/status"}');
  assert.deepEqual(asked[0]?.may, ['observe']);
  assert.equal(await ask({ port, pair: client, target: '/metrics' }), '200 up 1');
  assert.match(await ask({ port, pair: client, method: 'POST', target: '/v1/shutdown' }), /^405 /);
  assert.equal(asked.length, 1);
});

test('no certificate, one of another authority and a revoked one get no answer', async (t) => {
  const { listener, asked, client, revoked } = await listening(t, { isRevoking: true });
  const { port } = listener;
  const stranger = new Authority();
  t.after(() => rmSync(stranger.directory, { recursive: true }));
  assert.match(await ask({ port }), /^error /);
  assert.match(await ask({ port, pair: stranger.issue() }), /^error /);
  assert.match(await ask({ port, pair: revoked }), /^error /);
  assert.equal(asked.length, 0);
  assert.match(await ask({ port, pair: client }), /^200 /);
});

test('a certificate that is revoked while the agent runs is refused from then on, and cannot keep what it has open', async (t) => {
  const { authority, listener, client, revoked } = await listening(t, { isRevoking: true });
  const { port } = listener;
  assert.match(await ask({ port, pair: client }), /^200 /);
  const watch = new WebSocket(`wss://127.0.0.1:${port}/v1/watch`, {
    cert: client.cert,
    key: client.key,
    rejectUnauthorized: false,
  });
  await new Promise((resolve) => watch.once('message', resolve));
  const closed = new Promise<number>((resolve) => watch.once('close', resolve));
  await listener.reload();
  assert.equal(watch.readyState, watch.OPEN, 'nothing has changed');
  writeFileSync(authority.file('crl.pem'), 'nonsense');
  await listener.reload();
  assert.match(await ask({ port, pair: client }), /^200 /, 'files that cannot be used change nothing');
  authority.revoke(client.name);
  await listener.reload();
  assert.equal(await closed, 1001);
  assert.match(await ask({ port, pair: client }), /^error /);
  assert.match(await ask({ port, pair: revoked }), /^error /);
  assert.match(await ask({ port, pair: authority.issue() }), /^200 /);
});

test('a packet full of requests costs one answer', async (t) => {
  const { authority, listener, client, asked } = await listening(t);
  const ca = readFileSync(authority.file('ca.pem'));
  const socket = tls.connect({ host: '127.0.0.1', port: listener.port, ca, ...client });
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('GET /v1/logs HTTP/1.1\r\nHost: agent\r\n\r\n'.repeat(1_000));
  await closed;
  assert.ok(asked.length <= 1, `${asked.length} were answered`);
});

test('whoever is refused a stream and does not hang up keeps nobody out', async (t) => {
  const verbs = new FakeVerbs();
  const { authority, listener, client } = await listening(t, {
    api: createApi({ verbs, log: new QuietLog() }),
  });
  const ca = readFileSync(authority.file('ca.pem'));
  const stubborn = { host: '127.0.0.1', port: listener.port, ca, ...client, allowHalfOpen: true };
  const headers = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  const ends = Array.from({ length: 32 }, () => {
    const socket = tls.connect(stubborn).on('error', () => undefined);
    socket.resume().write(`GET /v1/status HTTP/1.1\r\nHost: agent\r\n${headers}\r\n`);
    t.after(() => socket.destroy());
    return new Promise((resolve) => socket.once('end', resolve));
  });
  await Promise.all(ends);
  while (!(await ask({ port: listener.port, pair: client })).startsWith('200 '))
    await new Promise((resolve) => setImmediate(resolve));
});

test('a browser, a body and huge headers are refused', async (t) => {
  const { listener, asked, client } = await listening(t);
  const { port } = listener;
  assert.match(await ask({ port, pair: client, headers: { Origin: 'https://elsewhere.example' } }), /^403 /);
  assert.match(
    await ask({ port, pair: client, headers: { 'content-length': '5' }, body: 'hello' }),
    /^413 |^error /,
  );
  assert.match(await ask({ port, pair: client, headers: { x: 'y'.repeat(20_000) } }), /^431 |^error /);
  assert.equal(asked.length, 0);
});

test('a path that climbs out of the API is found nowhere', async (t) => {
  const verbs = new FakeVerbs();
  const { listener, client } = await listening(t, { api: createApi({ verbs, log: new QuietLog() }) });
  const { port } = listener;
  assert.match(await ask({ port, pair: client, target: '/v1/status' }), /^200 /);
  for (const target of [
    '/v1/../../etc/passwd',
    '/metrics/../v1/status',
    '/v1/logs?unit=../../etc/shadow',
    '/v1/logs?unit=..%2f..%2fetc%2fshadow',
    '/v1/%2e%2e/status',
    '//etc/passwd',
    'http://127.0.0.1/v1/../etc/passwd',
  ]) {
    assert.match(await ask({ port, pair: client, target }), /^40[04] /, target);
  }
});

test('slow headers and 10,000 idle connections end by themselves and lock nobody out', async (t) => {
  const { listener, client } = await listening(t);
  const { port } = listener;
  const idle: net.Socket[] = [];
  t.after(() => idle.forEach((socket) => void socket.destroy()));
  const ends: Promise<unknown>[] = [];
  // In handfuls: a full accept queue makes the kernel repeat its handshakes for a minute, which is not what is asked here.
  for (let handful = 0; handful < 100; handful += 1) {
    const connected = Array.from({ length: 100 }, () => {
      const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
      idle.push(socket.resume());
      ends.push(new Promise((resolve) => socket.once('close', resolve)));
      return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    });
    await Promise.all(connected);
  }
  const ended = Promise.all(ends);
  const slow = tls.connect({
    port,
    host: '127.0.0.1',
    cert: client.cert,
    key: client.key,
    rejectUnauthorized: false,
  });
  slow.on('error', () => undefined).resume();
  slow.on('secureConnect', () => slow.write('GET /v1/status HTTP/1.1\r\nx: '));
  const slowEnded = new Promise((resolve) => slow.once('close', resolve));
  await Promise.all([ended, slowEnded]);
  assert.match(await ask({ port, pair: client }), /^200 /);
});

test('a watch gets its snapshot over WebSocket, and its end when the agent stops', async (t) => {
  const { listener, client } = await listening(t);
  const options = { cert: client.cert, key: client.key, rejectUnauthorized: false };
  const watch = new WebSocket(`wss://127.0.0.1:${listener.port}/v1/watch`, options);
  const first = await new Promise<string>((resolve) =>
    watch.once('message', (data: Buffer) => resolve(data.toString())),
  );
  assert.equal(first, '{"type":"snapshot"}');
  const closed = new Promise<number>((resolve) => watch.once('close', resolve));
  await listener.stop();
  assert.ok([1001, 1006].includes(await closed));
});

test('files that cannot be used are a fault of the configuration', async () => {
  const missing = { caFile: '/nowhere', certFile: '/nowhere', keyFile: '/nowhere', revokedFile: undefined };
  const api = { handle: () => Promise.reject(new Error('never')), open: () => assert.fail() };
  const pages = (): Promise<undefined> => Promise.resolve(undefined);
  const parts = { api, pages, log: new QuietLog(), address: '127.0.0.1', port: 0, tls: missing };
  await assert.rejects(new LanListener(parts).start(), { code: 'CONFIG_INVALID' });
});
