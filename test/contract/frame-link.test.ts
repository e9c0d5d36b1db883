import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { type FrameTarget, LinkError } from '../../agent/core/link.ts';
import { CloudHubLink } from '../../agent/host/cloudhub-link.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { CloudSession } from '../../agent/report/cloud-session.ts';
import { CloudHub, type CloudHubOptions } from '../standins/cloudhub/cloudhub.ts';
import { certificateRequest } from '../standins/edgecore/enrolment.ts';
import { newMessage } from '../standins/message.ts';

const forever = new AbortController().signal;
const dayMs = 86_400_000;

/** A CloudHub stand-in with real TLS, and the way to it with a certificate for `board-1`. */
async function hubFor(
  t: TestContext,
  options: CloudHubOptions = {},
  validity = { fromMs: -dayMs, untilMs: dayMs },
): Promise<{ cloud: CloudHub; target: (nodeId: string) => FrameTarget; directory: string }> {
  const cloud = await CloudHub.start(options);
  t.after(() => cloud.stop());
  const directory = mkdtempSync(path.join(os.tmpdir(), 'hub-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const { requestDer, keyPem } = await certificateRequest('board-1', 22);
  const der = await cloud.authority.signRequest(requestDer, validity);
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const tlsFiles = {
    caFile: file('rootCA.crt', cloud.authority.caPem),
    certFile: file('server.crt', new X509Certificate(der).toString()),
    keyFile: file('server.key', keyPem),
  };
  cloud.store.put('node', { namespace: '', name: 'board-1' }, { status: { conditions: [] } });
  const target = (nodeId: string): FrameTarget => ({
    host: '127.0.0.1',
    port: cloud.hubPort,
    path: `/p/${nodeId}/events`,
    headers: { node_id: nodeId, project_id: 'p', ConnectionUse: 'msg' },
    tls: tlsFiles,
  });
  return { cloud, target, directory };
}

async function failure(target: FrameTarget): Promise<LinkError> {
  try {
    const session = await new CloudHubLink().open(target, forever);
    const end = await session.ended;
    return new LinkError(end);
  } catch (error) {
    assert.ok(error instanceof LinkError, String(error));
    return error;
  }
}

const patch = JSON.stringify({
  status: { conditions: [{ type: 'EdgecoreReady', status: 'False', reason: 'CrashLoop' }] },
});
const route = {
  source: 'edged',
  group: 'meta',
  operation: 'patch',
  resource: 'default/nodepatch/board-1',
} as const;

async function say(target: FrameTarget, withinMs = 180_000): Promise<string> {
  const frames = await new CloudHubLink().open(target, forever);
  let id = 0;
  const session = new CloudSession({
    frames,
    clock: new SystemClock(),
    newId: () => `id-${process.pid}-${(id += 1)}`,
  });
  const reply = await session.ask(route, patch, { withinMs, signal: forever });
  await session.close(200);
  return reply === undefined ? 'silence' : String(reply.route.operation);
}

test('a node patch over TLS and WebSocket is answered, with a session id of our own', async (t) => {
  const { cloud, target } = await hubFor(t);
  assert.equal(await say(target('board-1-agent')), 'response');
  assert.match(JSON.stringify(cloud.store.get('node', { namespace: '', name: 'board-1' })), /CrashLoop/);
});

test('with authorization enforced the own name is heard, because exactly one certificate is shown', async (t) => {
  const { target } = await hubFor(t, { isEnforced: true });
  assert.equal(await say(target('board-1')), 'response');
  assert.equal(await say(target('board-1-agent'), 1_000), 'silence');
});

test('a server of another authority is refused before anything is sent', async (t) => {
  const { target } = await hubFor(t);
  const other = await hubFor(t);
  const { end } = await failure({ ...target('board-1'), tls: other.target('x').tls });
  assert.deepEqual([end.reason, end.isPermanent], ['ServerUnknown', true]);
  assert.match(end.message, /join again/);
});

test('a server whose certificate names another address or has expired is refused', async (t) => {
  const { cloud, target } = await hubFor(t);
  await cloud.setFaults({ server: 'wrong-name' });
  assert.equal((await failure(target('board-1'))).end.reason, 'ServerMisnamed');
  await cloud.setFaults({ server: 'expired' });
  assert.equal((await failure(target('board-1'))).end.reason, 'CertificateExpired');
});

test('a certificate of ours that has expired, is not yet valid or is not there is told apart', async (t) => {
  const expired = await hubFor(t, {}, { fromMs: -2 * dayMs, untilMs: -dayMs });
  assert.equal((await failure(expired.target('board-1'))).end.reason, 'CertificateExpired');
  const early = await hubFor(t, {}, { fromMs: dayMs, untilMs: 2 * dayMs });
  assert.equal((await failure(early.target('board-1'))).end.reason, 'ClockWrong');
  const { target } = await hubFor(t);
  const missing = { ...target('board-1').tls, keyFile: '/nowhere/server.key' };
  assert.equal((await failure({ ...target('board-1'), tls: missing })).end.reason, 'CertificateMissing');
});

test('a certificate of ours from another authority is refused by the cloud, and that is not tried again soon', async (t) => {
  const mine = await hubFor(t);
  const other = await hubFor(t);
  const tlsFiles = { ...other.target('x').tls, caFile: mine.target('x').tls.caFile };
  const { end } = await failure({ ...mine.target('board-1'), tls: tlsFiles });
  assert.ok(['CertificateRejected', 'Unreachable'].includes(end.reason), JSON.stringify(end));
});

test('a closed port, a server without TLS and one that never answers are unreachable', async (t) => {
  const { cloud, target } = await hubFor(t);
  await cloud.setFaults({ hub: 'refuse' });
  assert.equal((await failure(target('board-1'))).end.reason, 'Unreachable');
  const plain = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  t.after(() => plain.close());
  const { port } = plain.address() as net.AddressInfo;
  const { end } = await failure({ ...target('board-1'), port });
  assert.ok(['CertificateRejected', 'Unreachable'].includes(end.reason), JSON.stringify(end));
});

test('a server that answers 403 is told as such', async (t) => {
  const { cloud, target } = await hubFor(t);
  const withOrigin = {
    ...target('board-1'),
    headers: { ...target('board-1').headers, Origin: 'https://elsewhere.example' },
  };
  const { end } = await failure(withOrigin);
  assert.deepEqual([end.reason, end.isPermanent], ['Refused', true]);
  assert.match(end.message, /403/);
  assert.equal(cloud.nodes().length, 0);
});

test('a server that answers 503 is told as such, and tried again soon', async (t) => {
  const { cloud, target } = await hubFor(t);
  await cloud.setFaults({ hub: 'busy' });
  const { end } = await failure(target('board-1'));
  assert.deepEqual([end.reason, end.isPermanent], ['Refused', false]);
  assert.match(end.message, /503/);
});

test('an abort while the cloud hangs ends the opening at once', async (t) => {
  const { cloud, target } = await hubFor(t);
  await cloud.setFaults({ hub: 'hang' });
  const stop = new AbortController();
  const opening = new CloudHubLink().open({ ...target('board-1'), port: cloud.hubPort }, stop.signal);
  setImmediate(() => stop.abort(new Error('enough')));
  await assert.rejects(opening, /enough/);
});

test('a session that the cloud cuts ends, and a closed one leaves no socket behind', async (t) => {
  const { cloud, target } = await hubFor(t);
  const session = await new CloudHubLink().open(target('board-1'), forever);
  await cloud.store.until(() => (cloud.nodes().length === 1 ? true : undefined), forever);
  await cloud.setFaults({ hub: 'refuse' });
  assert.equal((await session.ended).reason, 'Closed');
  assert.equal(session.send('x'), false);
  await session.close(10);
});

test('frames of the cloud arrive whole, as long as one mebibyte', async (t) => {
  const { cloud, target } = await hubFor(t);
  const session = await new CloudHubLink().open(target('board-1'), forever);
  const got = new Promise<string>((resolve) => session.onFrame(resolve));
  await cloud.store.until(() => (cloud.nodes().length === 1 ? true : undefined), forever);
  cloud.send('board-1', newMessage({ operation: 'insert' }, 'x'.repeat(1_048_576)));
  assert.ok((await got).length > 1_048_576);
  await session.close(200);
});

test('the chain that we show is one certificate long', async (t) => {
  const { cloud, target, directory } = await hubFor(t);
  const pair = await cloud.authority.serverPair(['127.0.0.1'], { fromMs: -dayMs, untilMs: dayMs });
  // A chain in the certificate file, as some tools write it, must not be sent either.
  const chain = path.join(directory, 'chain.crt');
  const { readFileSync } = await import('node:fs');
  writeFileSync(chain, readFileSync(target('x').tls.certFile, 'utf8') + cloud.authority.caPem);
  const seen = new Promise<number>((resolve) => {
    const server = tls.createServer(
      { cert: pair.certificatePem, key: pair.keyPem, ca: cloud.authority.caPem, requestCert: true },
      (socket) => {
        let length = 0;
        let certificate = socket.getPeerX509Certificate();
        for (; certificate !== undefined; certificate = certificate.issuerCertificate) length += 1;
        socket.destroy();
        server.close();
        resolve(length);
      },
    );
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      const files = { ...target('x').tls, certFile: chain };
      void failure({ ...target('board-1'), port, tls: files });
    });
  });
  assert.equal(await seen, 1);
});
