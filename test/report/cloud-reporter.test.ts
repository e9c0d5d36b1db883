import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cloudWorld as world } from '../fakes/cloud-world.ts';
import { edgeNode } from '../fakes/fake-edge-nodes.ts';

test('within 15 s of a crash the Node says so, and within 15 s of the cure it says that', async () => {
  const { clock, hub, breakEdgecore, mendEdgecore, end } = await world();
  await clock.advance(60_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  await mendEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  assert.deepEqual([...new Set(hub.opened)], ['board-1-agent']);
  assert.equal(hub.condition('Ready'), 'True undefined', 'Ready is the kubelet’s');
  await end();
});

test('a healthy board costs one short session in hours', async () => {
  const { clock, hub, end } = await world();
  await clock.advance(5 * 3_600_000);
  assert.equal(hub.opened.length, 1);
  assert.equal(hub.sessions.size, 0);
  await end();
});

test('a long fault is confirmed now and then, and its session is not kept', async () => {
  const { clock, hub, breakEdgecore, end } = await world();
  await clock.advance(60_000);
  const before = hub.opened.length;
  breakEdgecore();
  await clock.advance(3_600_000);
  assert.ok(hub.opened.length - before <= 7, `${hub.opened.length - before} sessions in an hour`);
  await end();
});

test('where only the node itself is heard, the agent speaks as the node while edgecore is absent, and never beside it', async () => {
  const { clock, hub, memory, gate, breakEdgecore, end } = await world({ isEnforced: true });
  await clock.advance(60_000);
  assert.equal(memory.facts.mode, 'suspect');
  assert.equal(hub.condition('EdgecoreReady'), undefined);
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  assert.equal(memory.facts.mode, 'takeover');
  assert.equal(hub.condition('DockerReady'), 'True Ready');
  await gate.edgecoreStarts();
  const edgecore = hub.join('board-1');
  const nothingStale = (): void => {
    for (const type of ['EdgecoreReady', 'DockerReady'])
      assert.equal(hub.condition(type), undefined, `${type} could not be corrected any more`);
  };
  nothingStale();
  await clock.advance(3_600_000);
  nothingStale();
  assert.ok(hub.sessions.has(edgecore));
  assert.equal(hub.evictions, 0);
  edgecore.end({ reason: 'Closed', message: '', isPermanent: false });
  await end();
});

test('a cloud that no longer enforces authorization is heard to do so within a day, on a healthy board too', async () => {
  const { clock, hub, memory, gate, breakEdgecore, board, end } = await world({ isEnforced: true });
  await clock.advance(60_000);
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(memory.facts.mode, 'takeover');
  await gate.edgecoreStarts();
  board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'edgecore answers' });
  const before = hub.opened.length;
  await clock.advance(10 * 90_000_000);
  assert.equal(memory.facts.mode, 'takeover');
  assert.equal(hub.opened.length - before, 10, 'one session a day finds out');
  hub.isEnforced = false;
  await clock.advance(90_000_000);
  assert.equal(memory.facts.mode, 'separate');
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  await end();
});

test('a slow moment of the cloud is not taken for a cloud that hears only the node itself', async () => {
  const { clock, hub, memory, breakEdgecore, mendEdgecore, end } = await world();
  await clock.advance(60_000);
  assert.equal(memory.facts.mode, 'separate');
  breakEdgecore();
  hub.isMute = true;
  // The session beside was silent; the node's own one is answered.
  await clock.advance(9_000);
  hub.isMute = false;
  await clock.advance(20_000);
  assert.equal(memory.facts.mode, 'separate');
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  await mendEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  await end();
});

test('a cloud that was silent on every way is told soon after it answers again', async () => {
  for (const isEnforced of [false, true]) {
    const { clock, hub, reporter, breakEdgecore, end } = await world({ isEnforced });
    await clock.advance(60_000);
    hub.isMute = true;
    breakEdgecore();
    await clock.advance(120_000);
    assert.equal(reporter.state().reason, 'CloudSilent');
    hub.isMute = false;
    await clock.advance(180_000);
    assert.equal(reporter.state().reason, 'Told');
    await end();
  }
});

test('edgecore and the agent contend a hundred times and never have two sessions at once', async () => {
  const { clock, hub, board, gate, breakEdgecore, mendEdgecore, end } = await world({ isEnforced: true });
  await clock.advance(60_000);
  for (let round = 0; round < 100; round += 1) {
    breakEdgecore(`Reason${round}`);
    // Whatever the agent is doing at this moment, edgecore's start takes precedence.
    await clock.advance(round * 137);
    await mendEdgecore();
    assert.ok(![...hub.sessions].some((session) => session.nodeId === 'board-1'));
    const edgecore = hub.join('board-1');
    await clock.advance(3_000);
    assert.ok(hub.sessions.has(edgecore), `round ${round}: edgecore was thrown out`);
    edgecore.end({ reason: 'Closed', message: '', isPermanent: false });
  }
  assert.equal(hub.evictions, 0);
  const takeovers = hub.opened.filter((nodeId) => nodeId === 'board-1').length;
  assert.ok(takeovers > 100, `the agent spoke as the node ${takeovers} times only`);
  assert.equal(gate.isEdgecoreRunning, true);
  assert.equal(board.get('EdgecoreReady')?.status, 'true');
  await end();
});

test('where edgecore passes writes on, it says the good news itself', async () => {
  const { clock, hub, memory, calls, breakEdgecore, mendEdgecore, end } = await world({
    isEnforced: true,
    metaServer: (body) => {
      hub.store.patch(
        'node',
        { namespace: '', name: 'board-1' },
        JSON.parse(body) as Record<string, unknown>,
      );
      return { status: 200, body: '{}' };
    },
  });
  await clock.advance(60_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  await mendEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  assert.equal(memory.facts.metaServer, 'works');
  assert.ok(calls.length >= 2);
  await end();
});

test('a cloud that passes no writes on is asked once and never again', async () => {
  const { clock, memory, calls, end } = await world({
    isEnforced: true,
    metaServer: () => ({ status: 500, body: 'timeout to get response' }),
  });
  await clock.advance(24 * 3_600_000);
  assert.equal(calls.length, 1);
  assert.equal(memory.facts.metaServer, 'off');
  await end();
});

test('what was said before a restart of the agent is corrected after it', async () => {
  const first = await world();
  await first.clock.advance(60_000);
  first.breakEdgecore();
  await first.clock.advance(15_000);
  await first.end();
  const { hub, disk, clock } = first;
  const second = await world({ hub, disk, clock });
  await clock.advance(60_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  await second.end();
});

test('a crash within moments of a restart of the agent is told within 15 s, and nothing told before it is forgotten', async () => {
  const first = await world();
  first.board.set('RoutesReady', 'false', { reason: 'Gone', message: 'no rule' });
  await first.clock.advance(60_000);
  await first.end();
  const { hub, disk, clock } = first;
  const { breakEdgecore, end } = await world({ hub, disk, clock });
  await clock.advance(3_000);
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  assert.equal(hub.condition('RoutesReady'), 'False Gone', 'its room may only be slow');
  await clock.advance(120_000);
  assert.equal(hub.condition('RoutesReady'), undefined);
  await end();
});

test('edgecore that a restarted agent saw well for half a second only is told within 15 s to be gone', async () => {
  const { clock, hub, board, breakEdgecore, end } = await world({ isStarting: true });
  await clock.advance(100);
  board.set('EdgecoreReady', 'true', { reason: 'Ready', message: 'edgecore answers' });
  await clock.advance(500);
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  await end();
});

test('what edgecore takes with it is no news while edgecore may be back in a moment', async () => {
  const { clock, hub, board, breakEdgecore, mendEdgecore, end } = await world();
  const connected = { reason: 'Connected', message: 'edgecore has its session' };
  board.set('CloudConnected', 'true', connected);
  await clock.advance(60_000);
  const before = hub.opened.length;
  breakEdgecore();
  board.set('CloudConnected', 'false', { reason: 'EdgecoreDown', message: 'edgecore is down' });
  await clock.advance(1_500);
  await mendEdgecore();
  board.set('CloudConnected', 'true', connected);
  await clock.advance(15_000);
  assert.equal(hub.opened.length, before, 'a session was opened');
  breakEdgecore();
  board.set('CloudConnected', 'false', { reason: 'EdgecoreDown', message: 'edgecore is down' });
  await clock.advance(15_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  assert.equal(hub.condition('CloudConnected'), 'False EdgecoreDown');
  await end();
});

test('a condition that left the board is taken off the Node', async () => {
  const { clock, hub, board, end } = await world();
  board.set('RoutesReady', 'false', { reason: 'Gone', message: 'no rule' });
  await clock.advance(60_000);
  assert.equal(hub.condition('RoutesReady'), 'False Gone');
  board.clear('RoutesReady');
  await clock.advance(200_000);
  assert.equal(hub.condition('RoutesReady'), undefined);
  await end();
});

test('leaving takes everything of ours off the Node and nothing of others', async () => {
  const { clock, hub, reporter, nodes, board, end } = await world();
  await clock.advance(60_000);
  assert.equal(await reporter.retract(new AbortController().signal), true);
  assert.deepEqual(
    [hub.condition('EdgecoreReady'), hub.condition('DockerReady'), hub.condition('Ready')],
    [undefined, undefined, 'True undefined'],
  );
  board.set('EdgecoreReady', 'false', { reason: 'Stopped', message: 'left' });
  await clock.advance(3_600_000);
  assert.equal(hub.condition('EdgecoreReady'), undefined, 'nothing is said after that');
  nodes.become(undefined);
  await clock.advance(3_600_000);
  await end();
});

test('an unreachable cloud is tried with longer and longer pauses, and told the newest state when it is back', async () => {
  const { clock, hub, breakEdgecore, end } = await world();
  await clock.advance(60_000);
  hub.goDown();
  breakEdgecore();
  const before = hub.opened.length;
  await clock.advance(3_600_000);
  const tries = hub.opened.length - before;
  assert.ok(tries > 60 && tries < 150, `${tries} tries in an hour`);
  hub.isUp = true;
  await clock.advance(61_000);
  assert.equal(hub.condition('EdgecoreReady'), 'False CrashLoop');
  await end();
});

test('boards that are refused for the same reason in the same moment do not come back in one', async () => {
  const waits: number[] = [];
  for (const chance of [0.1, 0.9]) {
    const { clock, hub, breakEdgecore, end } = await world({ chance });
    await clock.advance(60_000);
    hub.goDown();
    hub.refusal = { reason: 'CertificateRejected', message: 'another authority', isPermanent: true };
    breakEdgecore();
    const openedAfterSeconds: number[] = [];
    for (let second = 0; openedAfterSeconds.length < 2 && second < 400; second += 1) {
      const before = hub.opened.length;
      await clock.advance(1_000);
      if (hub.opened.length > before) openedAfterSeconds.push(second);
    }
    waits.push(openedAfterSeconds[1]! - openedAfterSeconds[0]!);
    await end();
  }
  const [soon = 0, late = 0] = waits;
  assert.ok(soon >= 150 && late <= 301 && late - soon > 100, `${waits.join(', ')} s`);
});

test('a Node that does not exist yet is waited for', async () => {
  const { clock, hub, reporter, end } = await world();
  hub.store.remove('node', { namespace: '', name: 'board-1' });
  await clock.advance(120_000);
  assert.equal(reporter.state().reason, 'NodeUnknown');
  hub.register();
  await clock.advance(300_000);
  assert.equal(hub.condition('EdgecoreReady'), 'True Ready');
  await end();
});

test('before 1.12 there is no patch of the status, so the report is an annotation', async () => {
  const { clock, hub, breakEdgecore, end } = await world({ version: '1.11.2' });
  await clock.advance(60_000);
  breakEdgecore();
  await clock.advance(15_000);
  const node = hub.store.get('node', { namespace: '', name: 'board-1' }) as {
    metadata: { annotations: Record<string, string> };
  };
  const said = JSON.parse(node.metadata.annotations['oh-edge-agent/health'] ?? '') as {
    bad: { reason: string }[];
  };
  assert.equal(said.bad[0]?.reason, 'CrashLoop');
  await end();
});

test('entries of the ledger become events of the Node, a few at a time, and are gone once they are proven read', async () => {
  const { clock, hub, events, breakEdgecore, end } = await world();
  await clock.advance(60_000);
  for (let sequence = 1; sequence <= 7; sequence += 1) {
    const entry = { kind: 'restart', subject: 'edgecore', reason: 'Exited', message: `ended ${sequence}` };
    await events.put({ kind: 'event', body: { ...entry, sequence, atMs: 0, bootId: '0a1b2c3d-' } });
  }
  breakEdgecore();
  await clock.advance(15_000);
  assert.equal(hub.store.list('event').length, 5);
  assert.equal(events.size, 2);
  const [event] = hub.store.list('event') as {
    reason: string;
    firstTimestamp: string;
    involvedObject: { kind: string; name: string };
  }[];
  assert.deepEqual(
    [event?.reason, event?.involvedObject.kind, event?.involvedObject.name],
    ['Exited', 'Node', 'board-1'],
  );
  assert.match(
    event?.firstTimestamp ?? '',
    /^2025-01-01T/,
    'not 1970, where the board was when it wrote it down',
  );
  await end();
});

test('what happened on a healthy board is told within a minute or two, and costs nothing where nothing happens', async () => {
  const { clock, hub, events, bell, end } = await world();
  await clock.advance(3_600_000);
  const quiet = hub.opened.length;
  await clock.advance(3_600_000);
  assert.equal(hub.opened.length, quiet);
  const body = {
    kind: 'repair',
    subject: 'mount',
    reason: 'Gone',
    message: 'm',
    sequence: 1,
    atMs: 0,
    bootId: 'b',
  };
  await events.put({ kind: 'event', body });
  bell.ring();
  await clock.advance(5_000);
  assert.deepEqual([hub.store.list('event').length, events.size, hub.opened.length], [1, 0, quiet + 1]);
  await end();
});

test('nothing from the cloud is ever acknowledged, and no lease or Ready is ever touched', async () => {
  const { clock, hub, breakEdgecore, mendEdgecore, end } = await world({ isEnforced: true });
  await clock.advance(60_000);
  breakEdgecore();
  await clock.advance(2_500);
  const pod = {
    header: { msg_id: 'pod-1', timestamp: 1 },
    route: { operation: 'insert', resource: 'default/pod/p' },
    content: {},
  };
  hub.broadcast(JSON.stringify(pod));
  await clock.advance(15_000);
  await mendEdgecore();
  await clock.advance(60_000);
  const operations = hub.received.map(
    ({ message }) => `${message.route.operation} ${message.route.resource}`,
  );
  assert.deepEqual([...new Set(operations)], ['patch default/nodepatch/board-1']);
  assert.ok(!JSON.stringify(hub.received).includes('"Ready"'));
  await end();
});

test('a board that has joined nothing opens nothing and keeps no timer', async () => {
  const { clock, hub, nodes, end } = await world();
  nodes.become(undefined);
  await clock.advance(3_600_000);
  assert.deepEqual(hub.opened, []);
  assert.equal(clock.pending(), 0);
  nodes.become(edgeNode({ hub: undefined }));
  await clock.advance(3_600_000);
  assert.deepEqual(hub.opened, []);
  await end();
});
