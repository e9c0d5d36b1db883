import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noMosquitto } from '../fakes/mosquitto.ts';
import { crashLoopHour, outageDay, quietDay, reportDay } from '../fakes/report-day.ts';

// `npm run wire` prints the figures of these days.
const stop = new AbortController().signal;
const limits = { skip: noMosquitto };

test('a quiet day stays below 20 KB and 12 writes of the Device object an hour', limits, async () => {
  const { messageBytes, cloudBytes, deviceWrites } = await quietDay();
  assert.ok(messageBytes <= 20_000, `${messageBytes} bytes to the broker`);
  assert.ok(cloudBytes <= 20_000, `${cloudBytes} bytes to the cloud`);
  assert.ok(deviceWrites <= 12, `${deviceWrites} writes`);
});

test(
  'a day with a broker that is away for three hours loses nothing but states that newer ones replaced',
  limits,
  async () => {
    const { written, arrived, sequences, states } = await outageDay();
    assert.equal(written.length, 48);
    assert.deepEqual(arrived, written, 'every entry once, in order');
    assert.deepEqual(
      sequences,
      sequences.toSorted((a, b) => a - b),
    );
    // Of the changes while the broker was away only the last one is worth telling.
    assert.ok(states.away > 1);
    assert.equal(states.told, states.made - states.away + 1);
  },
);

test('a crash loop is told no more often than the pace allows', limits, async () => {
  const { messages, sessions } = await crashLoopHour();
  assert.ok(messages <= 60, `${messages} messages`);
  assert.ok(sessions <= 30, `${sessions} sessions`);
});

test('a board that leaves closes its port and its session, and writes nothing to its flash', {
  skip: noMosquitto,
}, async () => {
  const { report, clock, link, nodes, listening, disk, board, restart, end } = await reportDay({
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
  await clock.advance(3_600_000);
  assert.deepEqual(
    [...disk.files].filter(([name]) => /journal|events/.test(name)).map(([, text]) => text),
    spooled,
  );
  assert.equal(clock.pending(), 0, 'nothing runs on a board that belongs to no cluster');
  await end();
});
