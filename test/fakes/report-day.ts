import { strict as assert } from 'node:assert';
import { MqttLink } from '../../agent/host/mqtt-link.ts';
import { CountingLink, EdgeBroker } from './edge-broker.ts';
import { FakeClock } from './fake-clock.ts';
import { Mosquitto } from './mosquitto.ts';
import { reportWorld } from './report-world.ts';

const hourMs = 3_600_000;
const stop = new AbortController().signal;

/** What a board says in an hour. */
export interface WirePerHour {
  /** Messages to the event bus on the board itself. */
  readonly messages: number;
  readonly messageBytes: number;
  /** Writes of the Device object by cloudcore. */
  readonly deviceWrites: number;
  /** Messages of edgecore to the cloud on behalf of the twin. */
  readonly twinBytes: number;
  /** Sessions of the agent's own with CloudHub, and their frames. */
  readonly sessions: number;
  readonly frameBytes: number;
  /** Everything that goes to the cloud. */
  readonly cloudBytes: number;
  /** Written to the flash for it. */
  readonly flashBytes: number;
}

/** What a session costs besides its frames: TLS with a certificate on both sides, and the upgrade, as measured with ws. */
const sessionBytes = 6_000;

/** The room of reports on a real broker: the clock runs fast, and waits whenever a real socket is still busy. */
export async function reportDay(settings: Parameters<typeof reportWorld>[2] = {}) {
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
  const { hub, disk } = world;
  const totals = () => ({
    messages: link.messages,
    messageBytes: link.bytes,
    deviceWrites: edge.deviceWrites,
    twinBytes: edge.cloudBytes,
    sessions: hub.opened.length,
    frameBytes: hub.bytes,
    cloudBytes: edge.cloudBytes + hub.bytes + sessionBytes * hub.opened.length,
    flashBytes: disk.writtenBytes,
  });
  /** Lets something happen for so many hours and tells what an hour of it cost. */
  const measure = async (hours: number, happen: () => Promise<void>): Promise<WirePerHour> => {
    const before = totals();
    await happen();
    const after = totals();
    const names = Object.keys(before) as (keyof WirePerHour)[];
    const entries = names.map((name) => [name, Math.round((10 * (after[name] - before[name])) / hours) / 10]);
    return Object.fromEntries(entries) as unknown as WirePerHour;
  };
  const end = async (): Promise<void> => {
    await world.report.stop();
    await clock.advance(0);
    assert.equal(clock.pending(), 0, 'a timer was left');
    await edge.stop();
    await broker.end();
  };
  return { ...world, broker, edge, link, clock, measure, end };
}

/** A day on which nothing happens but load that wanders; the hour after the start is not counted. */
export async function quietDay(): Promise<WirePerHour> {
  const { report, clock, measure, end } = await reportDay();
  await report.start(stop);
  await clock.advance(hourMs);
  const figures = await measure(23, () => clock.advance(23 * hourMs));
  await end();
  return figures;
}

/** An hour in which edgecore is started every five minutes and lives for eight seconds. */
export async function crashLoopHour(): Promise<WirePerHour> {
  const { report, clock, board, gate, restart, measure, end } = await reportDay();
  await report.start(stop);
  await clock.advance(hourMs);
  const figures = await measure(1, async () => {
    for (let tries = 0; tries < 12; tries += 1) {
      await gate.edgecoreStarts();
      board.set('EdgecoreReady', 'false', { reason: 'Starting', message: 'edgecore is being started' });
      await clock.advance(8_000);
      gate.edgecoreEnded();
      restart();
      const message = `edgecore failed ${tries} times in a row`;
      board.set('EdgecoreReady', 'false', { reason: 'CrashLoop', message });
      await clock.advance(292_000);
    }
  });
  await end();
  return figures;
}

/** What came of a day on which the broker was away from 9 to 12 o'clock. */
export interface OutageDay {
  readonly wire: WirePerHour;
  /** Entries of the ledger in the order in which they were written, and as they arrived. */
  readonly written: readonly number[];
  readonly arrived: readonly (number | undefined)[];
  /** Numbers of all messages of the journal as they arrived. */
  readonly sequences: readonly number[];
  /** Changes of one condition that were made, made while the broker was away, and told. */
  readonly states: { readonly made: number; readonly away: number; readonly told: number };
}

interface JournalMessage {
  readonly sequence: number;
  readonly kind: string;
  readonly key?: string;
  readonly event?: { readonly sequence: number };
}

/** Lives through the day; every half hour something is restarted, and a condition changes twice in four half hours. */
export async function outageDay(): Promise<OutageDay> {
  const day = await reportDay({ 'report.topic': 'default/agent/report' });
  const { report, clock, edge, ledger, measure, end } = day;
  await report.start(stop);
  const states = { made: 0, away: 0 };
  const wire = await measure(24, async () => {
    for (let half = 0; half < 48; half += 1) await liveHalf(day, half, states);
  });
  const journal = edge.routed.map(({ payload }) => JSON.parse(payload) as JournalMessage);
  const events = journal.filter(({ kind }) => kind === 'event');
  const told = journal.filter(({ key }) => key === 'RoutesReady').length;
  const result = {
    wire,
    written: ledger.newest(1_000).map(({ sequence }) => sequence),
    arrived: events.map(({ event }) => event?.sequence),
    sequences: journal.map(({ sequence }) => sequence),
    states: { ...states, told },
  };
  await clock.advance(0);
  await end();
  return result;
}

async function liveHalf(
  { broker, edge, link, clock, board, restart }: Awaited<ReturnType<typeof reportDay>>,
  half: number,
  states: { made: number; away: number },
): Promise<void> {
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
  const before = board.get('RoutesReady')?.status;
  board.set('RoutesReady', isBad ? 'false' : 'true', {
    reason: isBad ? `Gone${half}` : 'Kept',
    message: 'm',
  });
  if (board.get('RoutesReady')?.status !== before) {
    states.made += 1;
    if (half >= 18 && half < 24) states.away += 1;
  }
  await clock.advance(hourMs / 2);
}
