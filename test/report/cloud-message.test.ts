import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LinkError } from '../../agent/core/link.ts';
import {
  type CloudMessage,
  contentOf,
  decodeMessage,
  encodeMessage,
} from '../../agent/report/cloud-message.ts';
import { CloudSession } from '../../agent/report/cloud-session.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeHub } from '../fakes/fake-hub.ts';

const word = fc.string({ unit: 'binary', maxLength: 40 });
const message = fc.record(
  {
    header: fc.record(
      {
        msg_id: word,
        timestamp: fc.integer(),
        parent_msg_id: word,
        resourceversion: word,
        sync: fc.boolean(),
        type: word,
      },
      { requiredKeys: ['msg_id', 'timestamp'], noNullPrototype: true },
    ),
    route: fc.record(
      { source: word, destination: word, group: word, operation: word, resource: word },
      { requiredKeys: [], noNullPrototype: true },
    ),
    content: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  },
  { noNullPrototype: true },
);

test('what is encoded comes back', () => {
  fc.assert(
    fc.property(message, (value) => {
      assert.deepEqual(decodeMessage(encodeMessage(value as CloudMessage)), value);
    }),
  );
});

test('messages as edgecore and cloudcore send them are read', () => {
  const keepalive =
    '{"header":{"msg_id":"5cf8b6f5","timestamp":1700000000000},"route":{"source":"websocket","group":"resource","operation":"keepalive","resource":"node"},"content":"ping"}\n';
  assert.equal(decodeMessage(keepalive)?.route.operation, 'keepalive');
  const upload =
    '{"header":{"msg_id":"a","timestamp":1},"route":{"source":"bus","group":"user","operation":"upload","resource":"default/user/health"},"content":"{\\"hello\\":1}"}';
  const decoded = decodeMessage(upload);
  assert.deepEqual(decoded && contentOf(decoded), { hello: 1 });
  const last = '{"header":{"msg_id":"","timestamp":0},"route":{},"content":null}';
  assert.deepEqual(decodeMessage(last), { header: { msg_id: '', timestamp: 0 }, route: {}, content: null });
  const patched =
    '{"header":{"msg_id":"b","parent_msg_id":"a","timestamp":1,"resourceversion":"7","sync":false},"route":{"source":"edgecontroller","group":"resource","operation":"response","resource":"default/nodepatch/n1"},"content":{"Object":{"metadata":{"name":"n1"}},"Err":null}}';
  assert.equal(decodeMessage(patched)?.header.parent_msg_id, 'a');
});

test('truncated, wrong and hostile frames are no messages, and never an exception', () => {
  const whole = encodeMessage({ header: { msg_id: 'a', timestamp: 1 }, route: {}, content: { a: [1] } });
  for (let cut = 0; cut < whole.length; cut += 1) assert.equal(decodeMessage(whole.slice(0, cut)), undefined);
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`;
  for (const text of [
    '',
    'null',
    '[]',
    '{}',
    '{"header":[],"route":{}}',
    '{"header":{"msg_id":7,"timestamp":1},"route":{}}',
    '{"header":{"msg_id":"a","timestamp":1},"route":"x"}',
    'x'.repeat(2_000_000),
    deep,
  ]) {
    assert.equal(decodeMessage(text), undefined);
  }
  assert.ok(decodeMessage(`{"header":{"msg_id":"a","timestamp":1},"route":{},"content":${deep}}`) !== null);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void decodeMessage(text)));
});

async function session(): Promise<{ hub: FakeHub; clock: FakeClock; session: CloudSession }> {
  const [hub, clock] = [new FakeHub(), new FakeClock()];
  const tls = { caFile: '', certFile: '', keyFile: '' };
  const headers = { node_id: 'board-1-agent' };
  const frames = await hub.open(
    { host: 'h', port: 1, path: '/', headers, tls },
    new AbortController().signal,
  );
  let id = 0;
  return { hub, clock, session: new CloudSession({ frames, clock, newId: () => `id-${(id += 1)}` }) };
}

const query = {
  source: 'edged',
  group: 'meta',
  operation: 'query',
  resource: 'default/node/board-1',
} as const;
const patience = { withinMs: 10_000, signal: new AbortController().signal };

test('a session says at once that it is alive, and then every 15 s', async () => {
  const { hub, clock, session: live } = await session();
  await clock.advance(0);
  assert.equal(hub.keepalives, 1);
  await clock.advance(60_000);
  assert.equal(hub.keepalives, 5);
  await live.close(0);
  await clock.advance(60_000);
  assert.equal(hub.keepalives, 5);
  assert.equal(clock.pending(), 0);
});

test('an answer finds its question among a flood of other frames', async () => {
  const { hub, clock, session: live } = await session();
  const reply = live.ask(query, '', patience);
  for (let index = 0; index < 2_000; index += 1) hub.broadcast(`{"odd":${index}`.padEnd(10_000, 'x'));
  await clock.advance(0);
  assert.equal((await reply)?.route.operation, 'response');
});

test('no answer in time, a mute cloud and a cut session all resolve with nothing', async () => {
  const { hub, clock, session: live } = await session();
  hub.isMute = true;
  const late = live.ask(query, '', patience);
  await clock.advance(10_000);
  assert.equal(await late, undefined);
  const cut = live.ask(query, '', patience);
  await clock.advance(0);
  hub.goDown();
  await clock.advance(0);
  assert.equal(await cut, undefined);
  assert.equal(live.isOver, true);
  assert.equal(await live.ask(query, '', patience), undefined);
  assert.equal(clock.pending(), 0);
});

test('an end of a link carries its reason', () => {
  const error = new LinkError({ reason: 'Refused', message: 'no', isPermanent: true });
  assert.deepEqual([error.name, error.message, error.end.reason], ['LinkError', 'no', 'Refused']);
});

test('a session hangs nothing more on its own end, however often it asks', async (t) => {
  const clock = new FakeClock();
  const ended = new Promise<never>(() => undefined);
  const listeners = t.mock.method(ended, 'then');
  const frames = { send: () => true, onFrame: () => undefined, ended, close: () => Promise.resolve() };
  let ids = 0;
  const session = new CloudSession({ frames, clock, newId: () => String((ids += 1)) });
  const before = listeners.mock.callCount();
  const { signal } = new AbortController();
  for (let count = 0; count < 10; count += 1) {
    const reply = session.ask({}, '', { withinMs: 1_000, signal });
    await clock.advance(1_000);
    assert.equal(await reply, undefined);
  }
  assert.equal(listeners.mock.callCount(), before);
});
