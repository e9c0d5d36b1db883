import assert from 'node:assert/strict';
import test from 'node:test';
import { WebSocket } from 'ws';
import type { WatchMessage } from '../../agent/api/wire.ts';
import { isAgentError } from '../../agent/core/agent-error.ts';
import { startWay } from './api-way.ts';

const signal = new AbortController().signal;

function openSocket(file: string, target: string): WebSocket {
  return new WebSocket(`ws+unix://${file}:${target}`, {
    headers: { host: 'agent' },
    perMessageDeflate: false,
  });
}

function ended(webSocket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    webSocket.on('error', () => undefined);
    webSocket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
  });
}

test('a watch sends the snapshot first and then what happens', async (t) => {
  const { client, verbs } = await startWay(t);
  const over = new AbortController();
  const seen: string[] = [];
  const watching = client.watch((message: WatchMessage) => {
    seen.push(message.type);
    if (message.type === 'snapshot') verbs.board.record('unit.ended', { unit: 'dockerd' });
    if (message.type === 'status') over.abort();
  }, over.signal);
  await assert.rejects(watching, { name: 'AbortError' });
  assert.deepEqual(seen, ['snapshot', 'event', 'status']);
});

test('a reader that is too slow is dropped with the reason and the agent keeps no more than the bound for it', async (t) => {
  const { verbs, path: file, client } = await startWay(t, { limits: { lagBytes: 100_000 } });
  const slow = openSocket(file, '/v1/watch');
  const end = ended(slow);
  await new Promise((resolve) => slow.once('open', resolve));
  slow.pause();
  let sent = 0;
  const text = 'x'.repeat(10_000);
  while (sent < 20_000_000) {
    verbs.board.record('unit.printed', { text });
    sent += text.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.resume();
  assert.deepEqual(await end, { code: 1008, reason: 'SlowReader: too far behind' });
  assert.equal((await client.version(signal)).wire, 1);
});

test('kept lines in great number all come to a reader that takes them', async (t) => {
  const { verbs, client } = await startWay(t, { limits: { lagBytes: 100_000 } });
  for (let count = 0; count < 10_000; count += 1) verbs.print('dockerd', `${count} ${'x'.repeat(300)}`);
  const over = new AbortController();
  let seen = 0;
  const hear = (): void => {
    seen += 1;
    if (seen === 10_000) over.abort();
  };
  const following = client.followLogs({ unit: 'dockerd', n: 10_000 }, hear, over.signal);
  await assert.rejects(following, { name: 'AbortError' });
});

test('a reader that goes away frees what it read', async (t) => {
  const { verbs, path: file } = await startWay(t);
  const reader = openSocket(file, '/v1/logs/follow?unit=dockerd');
  await new Promise((resolve) => reader.once('open', resolve));
  verbs.print('dockerd', 'hello');
  await new Promise((resolve) => reader.once('message', resolve));
  assert.equal(verbs.followers(), 1);
  const end = ended(reader);
  reader.terminate();
  await end;
  while (verbs.followers() > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('a reader that talks too much is closed', async (t) => {
  const { path: file } = await startWay(t);
  const chatty = openSocket(file, '/v1/watch');
  const end = ended(chatty);
  await new Promise((resolve) => chatty.once('open', resolve));
  chatty.send('x'.repeat(2_000));
  assert.equal((await end).code, 1009);
});

test('a stopping agent tells its readers that it stops', async (t) => {
  const { listener, client } = await startWay(t);
  let seen = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    seen = resolve;
  });
  const watching = client.watch(() => seen(), signal);
  await first;
  await listener.stop();
  assert.equal(await watching, 'The agent stops');
});

test('a refused WebSocket arrives as the error that refused it', async (t) => {
  const { client } = await startWay(t, { may: [] });
  await assert.rejects(
    client.watch(() => undefined, signal),
    (error) => isAgentError(error, 'FORBIDDEN'),
  );
});

test('a log that cannot be read ends the stream with the reason', async (t) => {
  const { client } = await startWay(t);
  const reason = await client.followLogs({ unit: 'nobody' }, () => undefined, signal);
  assert.match(reason, /Cannot find unit "nobody"/);
});

test('a watch of an agent that does not run is unreachable, with the way to start it', async () => {
  const { AgentClient } = await import('../../agent/api/client.ts');
  const { UnixClient } = await import('../../agent/host/unix-client.ts');
  const client = new AgentClient(new UnixClient('/tmp/oh-api-nobody.sock'));
  await assert.rejects(
    client.watch(() => undefined, signal),
    (error) => {
      return isAgentError(error, 'AGENT_UNREACHABLE') && /begetctl start_service/.test(error.message);
    },
  );
});
