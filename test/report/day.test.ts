import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MqttLink } from '../../agent/host/mqtt-link.ts';
import { CountingLink, EdgeBroker } from '../fakes/edge-broker.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { Mosquitto, noMosquitto } from '../fakes/mosquitto.ts';
import { reportWorld } from '../fakes/report-world.ts';

const hourMs = 3_600_000;
const stop = new AbortController().signal;

/** A day on a real broker: the clock runs fast, and waits whenever a real socket is still busy. */
async function day(settings: Parameters<typeof reportWorld>[2] = {}) {
  const broker = await Mosquitto.start();
  const edge = new EdgeBroker(broker.url, 'board-1', 22);
  await edge.start();
  const link = new CountingLink(new MqttLink());
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 4 || !link.isIdle; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const clock = new FakeClock({ settle });
  const world = await reportWorld(clock, link, settings);
  world.nodes.become({ ...(await world.nodes.read()), broker: { url: broker.url } });
  edge.addDevice('default/board-1-agent');
  const end = async (): Promise<void> => {
    await world.report.stop();
    await clock.advance(0);
    assert.equal(clock.pending(), 0, 'a timer was left');
    await edge.stop();
    await broker.end();
  };
  return { ...world, broker, edge, link, clock, end };
}

test('a quiet day stays below 20 KB and 12 writes of the Device object an hour', {
  skip: noMosquitto,
  timeout: 120_000,
}, async (t) => {
  const { report, clock, link, edge, hub, disk, end } = await day();
  await report.start(stop);
  await clock.advance(hourMs);
  const start = { messages: link.messages, bytes: link.bytes, writes: edge.deviceWrites };
  const hubStart = { bytes: hub.bytes, sessions: hub.opened.length };
  const diskStart = disk.writtenBytes;
  await clock.advance(23 * hourMs);
  const perHour = (value: number): number => Math.round((10 * value) / 23) / 10;
  const messages = perHour(link.messages - start.messages);
  const bytes = perHour(link.bytes - start.bytes);
  const writes = perHour(edge.deviceWrites - start.writes);
  t.diagnostic(`MQTT: ${messages} messages, ${bytes} bytes, ${writes} writes of the Device object an hour`);
  t.diagnostic(
    `CloudHub: ${hub.opened.length - hubStart.sessions} sessions, ${hub.bytes - hubStart.bytes} bytes of frames in 23 hours`,
  );
  t.diagnostic(`flash: ${disk.writtenBytes - diskStart} bytes in 23 hours`);
  assert.ok(bytes <= 20_000);
  assert.ok(writes <= 12);
  await end();
});

test('a day with a broker that is away for three hours loses nothing but states that newer ones replaced', {
  skip: noMosquitto,
  timeout: 120_000,
}, async (t) => {
  const { report, clock, link, edge, broker, board, ledger, restart, end } = await day({
    'report.topic': 'default/agent/report',
  });
  await report.start(stop);
  for (let half = 0; half < 48; half += 1) {
    if (half === 18) {
      await broker.kill();
      while (link.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
      await edge.stop();
    }
    if (half === 24) {
      await broker.run();
      await edge.start();
    }
    restart();
    const isBad = half % 4 === 1;
    board.set('RoutesReady', isBad ? 'false' : 'true', {
      reason: isBad ? `Gone${half}` : 'Kept',
      message: 'm',
    });
    await clock.advance(hourMs / 2);
  }
  const journal = edge.routed.map(
    ({ payload }) =>
      JSON.parse(payload) as { kind: string; sequence: number; key?: string; event?: { sequence: number } },
  );
  const events = journal.filter(({ kind }) => kind === 'event').map(({ event }) => event?.sequence);
  assert.deepEqual(
    events,
    ledger.newest(1_000).map(({ sequence }) => sequence),
    'every entry once, in order',
  );
  const sequences = journal.map(({ sequence }) => sequence);
  assert.deepEqual(
    sequences,
    sequences.toSorted((a, b) => a - b),
  );
  const states = journal.filter(({ key }) => key === 'RoutesReady').length;
  // 25 changes in all; of the three while the broker was away only the last one is worth telling.
  assert.equal(states, 23);
  const hours = link.bytes / 24;
  t.diagnostic(
    `busy day: ${Math.round(link.messages / 24)} messages, ${Math.round(hours)} bytes an hour, ${edge.deviceWrites} writes`,
  );
  await end();
});

test('a crash loop is told no more often than the pace allows', {
  skip: noMosquitto,
  timeout: 120_000,
}, async (t) => {
  const { report, clock, link, edge, board, hub, gate, restart, end } = await day();
  await report.start(stop);
  await clock.advance(hourMs);
  const start = {
    messages: link.messages,
    bytes: link.bytes,
    writes: edge.deviceWrites,
    hub: hub.bytes,
    sessions: hub.opened.length,
  };
  for (let tries = 0; tries < 12; tries += 1) {
    await gate.edgecoreStarts();
    board.set('EdgecoreReady', 'false', { reason: 'Starting', message: 'edgecore is being started' });
    await clock.advance(8_000);
    gate.edgecoreEnded();
    restart();
    board.set('EdgecoreReady', 'false', {
      reason: 'CrashLoop',
      message: `edgecore failed ${tries} times in a row`,
    });
    await clock.advance(292_000);
  }
  const [messages, bytes] = [link.messages - start.messages, link.bytes - start.bytes];
  t.diagnostic(
    `crash loop: ${messages} messages, ${bytes} bytes, ${edge.deviceWrites - start.writes} writes an hour by MQTT`,
  );
  t.diagnostic(
    `crash loop: ${hub.opened.length - start.sessions} sessions, ${hub.bytes - start.hub} bytes of frames an hour to CloudHub`,
  );
  assert.ok(messages <= 60 && hub.opened.length - start.sessions <= 30);
  await end();
});

test('a board that leaves closes its port and its session, and writes nothing to its flash', {
  skip: noMosquitto,
}, async () => {
  const { report, clock, link, nodes, listening, disk, board, restart, end } = await day({
    'report.topic': 'default/agent/report',
  });
  await report.start(stop);
  await clock.advance(60_000);
  assert.deepEqual(listening, [10_660]);
  nodes.become(undefined);
  await clock.advance(60_000);
  while (link.sessions > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([listening, report.state().broker.phase], [[], 'idle']);
  const spooled = [...disk.files].filter(([name]) => /journal|events/.test(name)).map(([, text]) => text);
  restart();
  board.set('DockerReady', 'false', { reason: 'Gone', message: 'm' });
  await clock.advance(hourMs);
  assert.deepEqual(
    [...disk.files].filter(([name]) => /journal|events/.test(name)).map(([, text]) => text),
    spooled,
  );
  assert.equal(clock.pending(), 0, 'nothing runs on a board that belongs to no cluster');
  await end();
});
