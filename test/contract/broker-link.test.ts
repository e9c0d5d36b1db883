import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { type BrokerMessage, LinkError } from '../../agent/core/link.ts';
import { MqttLink } from '../../agent/host/mqtt-link.ts';
import { collectGarbage } from '../fakes/collect-garbage.ts';
import { Mosquitto, noMosquitto } from '../fakes/mosquitto.ts';

const forever = new AbortController().signal;

test('a message goes out, is taken by the broker and comes back on a subscribed topic', {
  skip: noMosquitto,
}, async (t) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.end());
  const session = await new MqttLink().open({ url: broker.url, clientId: 'a' }, forever);
  const got = new Promise<BrokerMessage>((resolve) => session.onMessage(resolve));
  await session.subscribe(['$hw/events/node/n/membership/get/result'], forever);
  await session.publish({ topic: '$hw/events/node/n/membership/get/result', payload: '{"ü":1}' }, forever);
  assert.deepEqual(await got, { topic: '$hw/events/node/n/membership/get/result', payload: '{"ü":1}' });
  await session.close();
  assert.equal((await session.ended).reason, 'Left');
});

test('a session remembers no message that was taken', { skip: noMosquitto }, async (t) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.end());
  const session = await new MqttLink().open({ url: broker.url, clientId: 'a' }, forever);
  const signals: WeakRef<AbortSignal>[] = [];
  for (let count = 0; count < 100; count += 1) {
    const { signal } = new AbortController();
    signals.push(new WeakRef(signal));
    await session.publish({ topic: 'x', payload: '1' }, signal);
  }
  await collectGarbage();
  const kept = signals.filter((signal) => signal.deref() !== undefined).length;
  assert.ok(kept < 10, `${kept} of 100 are kept for as long as the session lives`);
  await session.close();
});

test('a broker that dies ends the session and every publish that was under way', {
  skip: noMosquitto,
}, async (t) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.end());
  const session = await new MqttLink().open({ url: broker.url, clientId: 'a' }, forever);
  await broker.kill();
  await assert.rejects(session.publish({ topic: 'x', payload: '1' }, forever), LinkError);
  assert.equal((await session.ended).isPermanent, false);
});

test('a message above the bound ends the session before it is in memory, one below it arrives', {
  skip: noMosquitto,
}, async (t) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.end());
  const session = await new MqttLink().open({ url: broker.url, clientId: 'a' }, forever);
  const got = new Promise<BrokerMessage>((resolve) => session.onMessage(resolve));
  await session.subscribe(['agent/cmd'], forever);
  const other = await new MqttLink().open({ url: broker.url, clientId: 'b' }, forever);
  await other.publish({ topic: 'agent/cmd', payload: 'x'.repeat(262_000) }, forever);
  assert.equal((await got).payload.length, 262_000);
  await other.publish({ topic: 'agent/cmd', payload: 'x'.repeat(12_582_912) }, forever);
  assert.equal((await session.ended).reason, 'MessageTooLong');
  await other.close();
});

test('nobody there is told apart from not let in', { skip: noMosquitto }, async (t) => {
  const broker = await Mosquitto.start(['allow_anonymous false']);
  t.after(() => broker.end());
  const refused = await failure(broker.url, { username: 'board', password: 'wrong' });
  assert.deepEqual([refused.end.reason, refused.end.isPermanent], ['NotAuthorized', true]);
  const inAddress = await failure(broker.url.replace('//', '//board:wr%6fng@'), {});
  assert.deepEqual([inAddress.end.reason, inAddress.end.isPermanent], ['NotAuthorized', true]);
  for (const { message } of [refused, inAddress])
    assert.ok(!/wr(?:o|%6f)ng/.test(message), 'a password never stands in a message');
  await broker.kill();
  const absent = await failure(broker.url, {});
  assert.deepEqual([absent.end.reason, absent.end.isPermanent], ['Unreachable', false]);
  assert.match(absent.message, /ECONNREFUSED/);
});

test('a broker with TLS and passwords lets the right client in, and only that one', {
  skip: noMosquitto,
}, async (t) => {
  const broker = await Mosquitto.start(['allow_anonymous true']);
  t.after(() => broker.end());
  const files = certificates(broker.directory);
  const secure = await Mosquitto.start([
    'allow_anonymous true',
    `cafile ${files.caFile}`,
    `certfile ${files.certFile}`,
    `keyfile ${files.keyFile}`,
    'require_certificate true',
  ]);
  t.after(() => secure.end());
  const url = `ssl://127.0.0.1:${secure.port}`;
  const session = await new MqttLink().open({ url, clientId: 'a', tls: files }, forever);
  await session.publish({ topic: 'x', payload: '1' }, forever);
  await session.close();
  const missing = { ...files, caFile: path.join(broker.directory, 'nothing.pem') };
  assert.equal((await failure(url, { tls: missing })).end.reason, 'CertificateMissing');
});

test('an abort while the broker says nothing ends the opening at once', async (t) => {
  const { createServer } = await import('node:net');
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const stop = new AbortController();
  const opening = new MqttLink().open({ url: `tcp://127.0.0.1:${port}`, clientId: 'a' }, stop.signal);
  server.once('connection', () => stop.abort(new Error('enough')));
  await assert.rejects(opening, /enough/);
});

async function failure(url: string, more: object): Promise<LinkError> {
  try {
    await new MqttLink().open({ url, clientId: 'a', ...more }, forever);
  } catch (error) {
    assert.ok(error instanceof LinkError);
    return error;
  }
  assert.fail('the broker let us in');
}

/** A CA with one certificate that serves both ends. */
function certificates(directory: string): { caFile: string; certFile: string; keyFile: string } {
  const file = (name: string): string => path.join(directory, name);
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { stdio: 'ignore', cwd: directory });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=ca',
  );
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'leaf.key',
    '-out',
    'leaf.csr',
    '-subj',
    '/CN=leaf',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    'leaf.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'leaf.pem',
    '-days',
    '2',
    '-copy_extensions',
    'copy',
  );
  return { caFile: file('ca.pem'), certFile: file('leaf.pem'), keyFile: file('leaf.key') };
}
