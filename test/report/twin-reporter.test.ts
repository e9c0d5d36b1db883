import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HealthBoard } from '../../agent/health/board.ts';
import { Bell } from '../../agent/report/bell.ts';
import { BrokerKeeper } from '../../agent/report/broker-keeper.ts';
import { twinValues } from '../../agent/report/twin-properties.ts';
import { TwinReporter } from '../../agent/report/twin-reporter.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeEdgeNodes } from '../fakes/fake-edge-nodes.ts';
import { FakeEventBus } from '../fakes/fake-event-bus.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { statusDocument, unitStatus } from '../fakes/status-document.ts';
import { Twins } from '../standins/edgecore/twins.ts';

const pace = { intervalMs: 10_000, measuredMs: 300_000, fullMs: 600_000 };
const good = { reason: 'Ready', message: 'all is well' };

/** A joined board whose twin is kept over a fake event bus of this release. */
function world(minor = 22) {
  const clock = new FakeClock();
  const log = new QuietLog();
  const board = new HealthBoard(clock);
  const bus = new FakeEventBus('board-1', minor);
  const nodes = new FakeEdgeNodes({});
  const bell = new Bell(clock);
  let edgecore: 'ready' | 'failed' = 'ready';
  board.set('EdgecoreReady', 'true', good);
  const twin = new TwinReporter({
    clock,
    random: () => 0.5,
    log,
    pace,
    namespace: 'default',
    spreadMs: 60_000,
    epoch: 'e',
    bell,
    read: () => {
      const summary = board.summary();
      const status = statusDocument(board, [unitStatus('edgecore', edgecore)]);
      const source = { status, summary, sample: undefined, newest: undefined, wallMs: clock.wallMs() };
      return { values: twinValues(source), nextMs: summary.nextMs };
    },
  });
  const keeper = new BrokerKeeper({ link: bus, nodes, users: [twin], clock, random: () => 0.5, log });
  const stop = new AbortController();
  keeper.start(stop.signal);
  const setEdgecore = (phase: 'ready' | 'failed'): void => {
    edgecore = phase;
    bell.ring();
  };
  const end = async (): Promise<void> => {
    await keeper.stop();
    await clock.advance(0);
    assert.equal(clock.pending(), 0, 'a timer was left');
  };
  return { clock, log, board, bus, nodes, twin, keeper, bell, setEdgecore, end };
}

test('the first twin is whole and is told twice, because some releases store the first one empty', async () => {
  const { clock, bus, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(60_000);
  assert.deepEqual(
    bus.updates().map((values) => values.get('edgecore')),
    ['ready', 'ready'],
  );
  assert.equal(bus.published[1]?.topic, '$hw/events/device/default/board-1-agent/twin/update');
  assert.equal(bus.toCloud.length, 2);
  await end();
});

test('before 1.16 a device has no namespace, which the list of devices tells', async () => {
  const { clock, bus, end } = world(12);
  bus.addDevice('board-1-agent');
  await clock.advance(1_000);
  assert.equal(bus.published[1]?.topic, '$hw/events/device/board-1-agent/twin/update');
  await end();
});

test('a missing device is explained, and found as soon as it is created', async () => {
  const { clock, bus, twin, end } = world();
  await clock.advance(5_000);
  assert.equal(twin.state().reason, 'DeviceMissing');
  assert.match(twin.state().message, /create it again, now that the node is connected/);
  bus.addDevice('factory/board-1-agent');
  await clock.advance(2_000);
  assert.equal(twin.state().reason, 'Telling');
  assert.match(bus.published.at(-1)?.topic ?? '', /factory\/board-1-agent/);
  await end();
});

test('somebody who says again and again that the devices have changed gets few questions', async () => {
  const { clock, bus, end } = world();
  await clock.advance(5_000);
  const before = bus.published.length;
  for (let count = 0; count < 500; count += 1) {
    bus.deliver({ topic: '$hw/events/node/board-1/membership/updated', payload: '{}' });
    await clock.advance(10);
  }
  assert.ok(bus.published.length - before < 20, `${bus.published.length - before} messages in 5 s`);
  await clock.advance(5_000);
  await end();
});

test('a device that edgecore forgets is asked for again', async () => {
  const { clock, bus, twin, setEdgecore, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(30_000);
  bus.twins = new Twins('board-1', 22);
  setEdgecore('failed');
  await clock.advance(2_000);
  assert.equal(twin.state().reason, 'DeviceMissing');
  await clock.advance(61_000);
  bus.addDevice('default/board-1-agent');
  await clock.advance(2_000);
  assert.equal(bus.updates().at(-1)?.get('edgecore'), 'failed');
  await end();
});

test('changes in a flock become one message, and the next flock waits for the interval', async () => {
  const { clock, bus, board, setEdgecore, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(60_000);
  const before = bus.updates().length;
  setEdgecore('failed');
  board.set('EdgecoreReady', 'false', { reason: 'CrashLoop', message: 'it ended 5 times' });
  await clock.advance(3_000);
  assert.equal(bus.updates().length, before + 1);
  setEdgecore('ready');
  await clock.advance(3_000);
  assert.equal(bus.updates().length, before + 1);
  await clock.advance(8_000);
  const last = bus.updates().at(-1);
  assert.deepEqual(
    [bus.updates().length, last?.get('edgecore'), last?.get('reason')],
    [before + 2, 'ready', 'EdgecoreReady:CrashLoop'],
  );
  await end();
});

test('a silent edgecore is found out, and told everything when it answers again', async () => {
  const { clock, bus, twin, setEdgecore, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(30_000);
  bus.isSilent = true;
  setEdgecore('failed');
  await clock.advance(10_000);
  assert.equal(twin.state().reason, 'EdgecoreSilent');
  bus.isSilent = false;
  await clock.advance(61_000);
  assert.equal(bus.updates().at(-1)?.get('edgecore'), 'failed');
  assert.equal(bus.updates().at(-1)?.get('agent'), '1.2.3');
  await end();
});

test('an update that edgecore cannot read is answered to nobody, and is not repeated at once', async () => {
  const { clock, bus, twin, setEdgecore, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(30_000);
  const receive = bus.twins.receive.bind(bus.twins);
  bus.twins.receive = (topic, text) => receive(topic, topic.endsWith('/twin/update') ? text.slice(1) : text);
  const before = bus.published.length;
  setEdgecore('failed');
  await clock.advance(30_000);
  assert.equal(twin.state().reason, 'Rejected');
  assert.ok(bus.published.length - before <= 2);
  await end();
});

test('when the cloud comes back the whole twin is told again, at a time of chance', async () => {
  const { clock, bus, twin, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(100_000);
  const before = bus.updates().length;
  twin.cloudReturned();
  await clock.advance(29_000);
  assert.equal(bus.updates().length, before);
  await clock.advance(3_000);
  assert.equal(bus.updates().length, before + 1);
  assert.equal(bus.updates().at(-1)?.get('agent'), '1.2.3');
  await end();
});

test('a cloud that comes back while the first twin is still owed gets it twice', async () => {
  const { clock, bus, twin, end } = world();
  bus.addDevice('default/board-1-agent');
  twin.cloudReturned();
  await clock.advance(29_000);
  const before = bus.updates().length;
  twin.cloudReturned();
  await clock.advance(60_000);
  assert.ok(bus.updates().length - before >= 2, `${bus.updates().length - before} after it`);
  await end();
});

test('a broker that went away is entered again, with longer and longer pauses, and told everything', async () => {
  const { clock, bus, setEdgecore, keeper, end } = world();
  bus.addDevice('default/board-1-agent');
  await clock.advance(120_000);
  bus.goDown();
  await clock.advance(3_600_000);
  assert.ok(bus.targets.length > 60 && bus.targets.length < 140, `${bus.targets.length} tries in an hour`);
  assert.equal(keeper.state().phase, 'down');
  setEdgecore('failed');
  bus.isUp = true;
  await clock.advance(90_000);
  assert.equal(bus.updates().at(-1)?.get('edgecore'), 'failed');
  await end();
});

test('a board that has joined nothing opens nothing and keeps no timer', async () => {
  const { clock, bus, nodes, end } = world();
  nodes.become(undefined);
  await clock.advance(3_600_000);
  assert.equal(bus.sessions.size, 0);
  assert.equal(clock.pending(), 0);
  await end();
});

test('another node name ends the session of the old one', async () => {
  const { clock, bus, nodes, end } = world();
  await clock.advance(1_000);
  nodes.become({ node: 'board-2' });
  await clock.advance(5_000);
  assert.equal(bus.targets.at(-1)?.clientId, 'oh-edge-agent-board-2');
  assert.equal(bus.sessions.size, 1);
  await end();
});
