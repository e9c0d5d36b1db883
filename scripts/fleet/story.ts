import type { SimulatedBoard } from './board.ts';
import { type Spread, sparkline, spreadOf } from './rates.ts';
import { buildStage, type FleetStage } from './stage.ts';

const minuteMs = 60_000;
/** The fleet is switched on within this time. */
const bootMs = minuteMs;
/** `report.spreadMs` of the default configuration. */
const spreadMs = minuteMs;
const settleMs = 10 * minuteMs;
const steadyMs = 60 * minuteMs;
const outageMs = 5 * minuteMs;
const returnMs = 10 * minuteMs;
/** Length of the bins in which a peak is looked for: shorter ones show the chance of few boards, not a storm. */
const binMs = 5_000;

/** What one fleet showed. Per board and hour unless said otherwise. */
export interface FleetResult {
  readonly boards: number;
  readonly steady: {
    readonly mqttMessages: number;
    readonly mqttBytes: number;
    readonly deviceWrites: number;
    readonly hubSessions: number;
    readonly hubBytes: number;
    readonly nodeWrites: number;
  };
  /** Writes that one cloudcore would make for the whole fleet, per second. */
  readonly cloudWritesPerSecond: number;
  readonly storm: {
    readonly twins: Spread;
    readonly patches: Spread;
    readonly sessions: Spread;
    readonly pictures: readonly string[];
  };
  /** Boards whose last word is not in the cloud, and events that never came. */
  readonly lost: { readonly twins: number; readonly conditions: number; readonly events: number };
  readonly query: { readonly answered: number; readonly bytes: number; readonly msPerAnswer: number };
  readonly memory: { readonly kbPerBoard: number; readonly flashBytesPerHour: number };
  readonly realSeconds: number;
  readonly stalls: number;
}

/** Runs one fleet: switched on, an hour of nothing, an outage of the cloud with changes, its return, a question to all. */
export async function runFleet(count: number, say: (text: string) => void): Promise<FleetResult> {
  const beganMs = performance.now();
  const before = process.memoryUsage.rss();
  const stage = await buildStage(count);
  try {
    const { clock, boards } = stage;
    const signal = new AbortController().signal;
    say(`${count} boards are switched on within ${bootMs / 1_000} s`);
    for (const board of boards) clock.after(Math.random() * bootMs, () => void board.start(signal));
    await clock.advance(bootMs + settleMs);
    const kbPerBoard = (process.memoryUsage.rss() - before) / 1_024 / count;
    say('an hour in which nothing happens');
    const { steady, flash } = await quietHour(stage);
    say('the cloud is away; every board has something to tell meanwhile');
    await outage(stage);
    say('the cloud is back');
    const storm = await comeback(stage);
    const lost = await lostNews(stage);
    say('a question to all');
    const query = await askAll(boards);
    return {
      boards: count,
      steady,
      cloudWritesPerSecond: ((steady.deviceWrites + steady.nodeWrites) * count) / 3_600,
      storm,
      lost,
      query,
      memory: { kbPerBoard, flashBytesPerHour: flash },
      realSeconds: (performance.now() - beganMs) / 1_000,
      stalls: stage.stalls(),
    };
  } finally {
    await stage.end();
  }
}

async function quietHour({ clock, traffic, bus, boards }: FleetStage) {
  const { twins, questions, patches, events, keepalives } = traffic;
  const look = () => ({
    messages: twins.atMs.length + questions.atMs.length,
    bytes: twins.bytes + questions.bytes,
    writes: bus.deviceWrites,
    sessions: traffic.sessionsOpened,
    hubBytes: patches.bytes + events.bytes + keepalives.bytes,
    patches: patches.atMs.length + events.atMs.length,
    flash: boards.reduce((sum, board) => sum + board.disk.writtenBytes, 0),
  });
  const start = look();
  await clock.advance(steadyMs);
  const now = look();
  const perBoard = (value: keyof typeof now): number => (now[value] - start[value]) / boards.length;
  return {
    steady: {
      mqttMessages: perBoard('messages'),
      mqttBytes: perBoard('bytes'),
      deviceWrites: perBoard('writes'),
      hubSessions: perBoard('sessions'),
      hubBytes: perBoard('hubBytes'),
      nodeWrites: perBoard('patches'),
    },
    flash: perBoard('flash'),
  };
}

/** The cloud goes for all at once; on every board edgecore is restarted and the network becomes bad at some moment. */
async function outage({ clock, cloud, boards }: FleetStage): Promise<void> {
  await cloud.setFaults({ hub: 'refuse' });
  for (const board of boards) {
    board.set('CloudConnected', false);
    clock.after(Math.random() * outageMs, () => {
      board.restart();
      board.set('NetworkReady', false);
    });
  }
  await clock.advance(outageMs);
}

/** All boards see the cloud again in the same instant: the worst that can be. */
async function comeback({ clock, cloud, boards, traffic }: FleetStage) {
  await cloud.setFaults({});
  const fromMs = clock.nowMs();
  for (const board of boards) board.set('CloudConnected', true);
  await clock.advance(returnMs);
  const bins = { fromMs, windowMs: spreadMs, binMs };
  // What is told later in the window belongs to the ordinary pace again.
  const within = (moments: readonly number[]): number[] =>
    moments.filter((at) => at <= fromMs + 2 * spreadMs);
  const twins = within(traffic.twins.atMs);
  const patches = within(traffic.patches.atMs);
  const sessions = within(traffic.sessions.atMs);
  const picture = (name: string, moments: readonly number[]): string =>
    `${name} ${sparkline(moments, fromMs, fromMs + 2 * spreadMs)}`;
  return {
    twins: spreadOf(twins, bins),
    patches: spreadOf(patches, bins),
    sessions: spreadOf(sessions, bins),
    pictures: [picture('twins   ', twins), picture('sessions', sessions), picture('patches ', patches)],
  };
}

async function lostNews({ bus, cloud, boards }: FleetStage): Promise<FleetResult['lost']> {
  const lacks = (isThere: (board: SimulatedBoard) => boolean): number =>
    boards.filter((board) => !isThere(board)).length;
  const heard = await cloud.heard(
    boards.map(({ name }) => name),
    'NetworkReady',
  );
  return {
    twins: lacks((board) => {
      const newest = board.ledger.newest(1)[0];
      return bus.told.get(board.name)?.get('ledger')?.startsWith(`${newest?.sequence}:`) === true;
    }),
    conditions: boards.length - heard.conditions,
    events: boards.length - heard.events,
  };
}

async function askAll(boards: readonly SimulatedBoard[]): Promise<FleetResult['query']> {
  const beganMs = performance.now();
  let bytes = 0;
  let answered = 0;
  for (const { desk } of boards) {
    const answer = await desk?.answer({ method: 'GET', target: '/agent-health' });
    bytes += Buffer.byteLength(answer?.body ?? '');
    const value = JSON.parse(answer?.body ?? '{}') as { error?: unknown; conditions?: unknown };
    if (value.error === undefined) answered += 1;
  }
  const count = boards.length;
  return { answered, bytes: bytes / count, msPerAnswer: (performance.now() - beganMs) / count };
}
