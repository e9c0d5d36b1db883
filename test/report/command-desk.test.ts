import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandDesk, macOf, signedText } from '../../agent/report/command-desk.ts';
import { CommandMemory } from '../../agent/report/command-memory.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { edgeNode } from '../fakes/fake-edge-nodes.ts';
import { FakeEventBus } from '../fakes/fake-event-bus.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const key = 'k'.repeat(32);

interface WorldOptions {
  readonly key?: string;
  readonly isClockGood?: boolean;
  readonly disk?: FakeDisk;
  readonly clock?: FakeClock;
}

async function world(options: WorldOptions = {}) {
  const { clock = new FakeClock(), disk = new FakeDisk() } = options;
  const log = new QuietLog();
  const bus = new FakeEventBus('board-1', 22);
  const done: unknown[] = [];
  const desk = new CommandDesk({
    clock,
    log,
    memory: new CommandMemory(disk, '/state/commands.json', clock),
    verbs: {
      'restart-unit': async (argument) => {
        done.push(argument);
        await Promise.resolve();
        return { restarted: done.length };
      },
    },
    key: () => Promise.resolve('key' in options ? options.key : key),
    isClockGood: () => options.isClockGood ?? true,
    topic: 'agent/cmd',
    replyTopic: 'default/agent/reply',
  });
  const stop = new AbortController();
  const session = await bus.open({ url: '', clientId: 'agent' });
  const running = desk.run(session, edgeNode(), stop.signal);
  await clock.advance(1_000);
  const send = async (payload: string): Promise<void> => {
    bus.deliver({ topic: 'agent/cmd', payload });
    await clock.advance(0);
  };
  const replies = (): Record<string, unknown>[] =>
    bus.published
      .filter(({ topic }) => topic === 'default/agent/reply')
      .map(({ payload }) => {
        const { reply, mac } = JSON.parse(payload) as { reply: string; mac: string };
        assert.equal(mac, macOf(key, reply));
        return JSON.parse(reply) as Record<string, unknown>;
      });
  const command = (parts: Partial<Parameters<typeof signedText>[1]> = {}, node = 'board-1'): string => {
    const whole = {
      id: 'c1',
      verb: 'restart-unit',
      argument: '{"unit":"dockerd"}',
      time: clock.wallMs(),
      nonce: 'n1',
      ...parts,
    };
    return JSON.stringify({ ...whole, mac: macOf(key, signedText(node, whole)) });
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { clock, disk, log, bus, done, send, replies, command, end };
}

test('a command with a good mac is done and answered', async () => {
  const { send, command, done, replies, end } = await world();
  await send(command());
  assert.deepEqual(done, [{ unit: 'dockerd' }]);
  assert.deepEqual(replies(), [{ id: 'c1', node: 'board-1', ok: true, result: { restarted: 1 } }]);
  await end();
});

test('the same command again has no second effect and gets the same answer', async () => {
  const { send, command, done, replies, clock, end } = await world();
  const text = command();
  await send(text);
  await clock.advance(300_000);
  await send(text);
  assert.equal(done.length, 1);
  assert.deepEqual(replies()[0], replies()[1]);
  await end();
});

test('forged, foreign, old, early, replayed and broken commands have no effect and no answer', async () => {
  const { clock, send, command, done, replies, log, end } = await world();
  await clock.advance(600_000);
  const now = clock.wallMs();
  await send(command({ nonce: 'used' }));
  const before = done.length;
  const good = JSON.parse(command({ id: 'c2', nonce: 'n2' })) as Record<string, unknown>;
  for (const text of [
    JSON.stringify({ ...good, argument: '{"unit":"edgecore"}' }),
    JSON.stringify({ ...good, mac: '0'.repeat(64) }),
    JSON.stringify({ ...good, mac: '' }),
    JSON.stringify({ ...good, mac: 7 }),
    command({ id: 'c3', nonce: 'n3' }, 'board-2'),
    command({ id: 'c4', nonce: 'n4', time: now - 121_000 }),
    command({ id: 'c5', nonce: 'n5', time: now + 121_000 }),
    command({ id: 'c6', nonce: 'used' }),
    command({ id: 'a\nb', nonce: 'n7' }),
    '',
    'null',
    '[]',
    '{',
    'x'.repeat(100_000),
    `{"id":${'['.repeat(3_000)}`,
  ]) {
    await send(text);
  }
  assert.equal(done.length, before);
  assert.equal(replies().length, 1);
  assert.ok(
    log.events().filter((event) => event === 'command.refused').length <= 1,
    'a flood is logged once a minute',
  );
  await end();
});

test('a command that was done is not done again by the next agent, wherever the clocks of both stand', async () => {
  for (const [asker, jump] of [
    [0, 0],
    [119_000, 0],
    [-100_000, 0],
    [0, -3_600_000],
  ] as const) {
    const first = await world();
    const text = first.command({ time: first.clock.wallMs() + asker });
    await first.send(text);
    assert.equal(first.done.length, 1);
    await first.end();
    const { clock, disk } = first;
    clock.setWall(clock.wallMs() + jump);
    const next = await world({ clock, disk });
    for (let minute = 0; minute < 70; minute += 1) {
      await next.send(text);
      await clock.advance(60_000);
    }
    assert.equal(next.done.length, 0);
    await next.send(next.command({ id: 'c2', nonce: 'n2' }));
    assert.equal(next.done.length, 1, 'the next one is done');
    await next.end();
  }
});

test('a clock that goes back does not bring old commands back, however many came since', async () => {
  const { clock, send, command, done, end } = await world();
  const texts: string[] = [];
  for (let index = 0; index < 200; index += 1) {
    const text = command({ id: `c${index}`, nonce: `n${index}` });
    texts.push(text);
    await send(text);
    await clock.advance(10_000);
  }
  clock.setWall(clock.wallMs() - 2_100_000);
  assert.equal(done.length, 200);
  for (const text of texts) {
    await send(text);
    await clock.advance(10_000);
  }
  assert.equal(done.length, 200);
  await end();
});

test('a clock that was wrong at the start and is set back keeps nobody from commanding', async () => {
  const { clock, send, command, done, end } = await world();
  await clock.advance(60_000);
  clock.setWall(clock.wallMs() - 10 * 365 * 86_400_000);
  await send(command());
  assert.equal(done.length, 1);
  await end();
});

test('a clock that is set back does not make an old command new', async () => {
  const { clock, send, command, done, end } = await world();
  await clock.advance(600_000);
  const old = command({ id: 'c1', nonce: 'n1' });
  await send(old);
  await clock.advance(300_000);
  await send(command({ id: 'c2', nonce: 'n2' }));
  clock.setWall(clock.wallMs() - 300_000);
  await send(old);
  assert.equal(done.length, 2);
  await end();
});

test('a session that is over while it is being listened on is let go of', async () => {
  const { clock, disk, log, bus } = await world();
  const desk = new CommandDesk({
    clock,
    log,
    memory: new CommandMemory(disk, '/state/commands.json', clock),
    verbs: {},
    key: () => Promise.resolve(key),
    isClockGood: () => true,
    topic: 'agent/cmd',
    replyTopic: '',
  });
  const stop = new AbortController();
  const session = await bus.open({ url: '', clientId: 'agent' });
  const subscribe = async (): Promise<void> => stop.abort();
  let isOver = false;
  void desk.run({ ...session, onMessage: () => undefined, subscribe }, edgeNode(), stop.signal).then(() => {
    isOver = true;
  });
  await clock.advance(1_000);
  assert.ok(isOver);
});

test('a command is not done where nobody could remember it, or where what was remembered is damaged', async () => {
  const full = await world();
  full.disk.fail('ENOSPC');
  await full.send(full.command());
  assert.equal(full.done.length, 0);
  assert.match(String(full.replies()[0]?.['error']), /ENOSPC/);
  await full.end();
  const disk = new FakeDisk();
  disk.files.set('/state/commands.json', '{"version":1,"floorMs":"x"}');
  const damaged = await world({ disk });
  await damaged.send(damaged.command({ time: damaged.clock.wallMs() + 100_000 }));
  assert.equal(damaged.done.length, 0);
  assert.deepEqual([...disk.files.keys()], ['/state/commands.json.broken-1']);
  await damaged.clock.advance(121_000);
  await damaged.send(damaged.command({ id: 'c2', nonce: 'n2' }));
  assert.equal(damaged.done.length, 1);
  await damaged.end();
});

test('a verb that the board does not allow is refused by name, to whoever has the key', async () => {
  const { send, command, replies, end } = await world();
  for (const [index, verb] of ['reboot', 'constructor', '__proto__'].entries()) {
    await send(command({ id: `v${index}`, nonce: `v${index}`, verb }));
  }
  assert.deepEqual(
    replies().map(({ ok }) => ok),
    [false, false, false],
  );
  await end();
});

test('without a key, with a short one, or with a clock that knows no time, nothing is done', async () => {
  for (const options of [{ key: undefined as never }, { key: 'short' }, { isClockGood: false }]) {
    const { send, command, done, end } = await world(options);
    await send(command());
    assert.equal(done.length, 0);
    await end();
  }
});

test('an argument that is no JSON is an error of the command', async () => {
  const { send, command, done, replies, end } = await world();
  await send(command({ argument: '{' }));
  assert.deepEqual([done.length, replies()[0]?.['ok']], [0, false]);
  await end();
});
