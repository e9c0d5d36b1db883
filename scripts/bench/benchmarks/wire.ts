import { encodeUpdate } from '../../../agent/report/twin-wire.ts';
import { buildStage, type FleetStage } from '../../fleet/stage.ts';
import type { Benchmark } from '../benchmark.ts';
import type { Goal, Measurement } from '../result.ts';
import { single } from '../statistics.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** `report.intervalMs` of the default configuration: how often a naive reporter would tell everything. */
const naiveMs = 10_000;
/** A unit that crashes as often as restarts with backoff let it. */
const crashEveryMs = 30_000;
/** Overhead of one MQTT publish, as in the fleet's own count. */
const publishBytes = 12;

interface Hour {
  readonly mqttBytes: number;
  readonly mqttMessages: number;
  readonly hubBytes: number;
  readonly hubMessages: number;
  readonly deviceWrites: number;
  readonly nodeWrites: number;
}

/** What one board sends. */
export const wire: Benchmark = {
  name: 'wire',
  groups: ['wire'],
  about:
    "bytes and messages of one board in an hour on the fleet's clock, real room of reports over a real MQTT broker and TLS to the CloudHub stand-in: nothing happens, and a unit that ends every 30 s; beside a reporter that tells the whole twin every 10 s",
  run: async (context) => {
    const stage = await buildStage(1);
    try {
      const [board] = stage.boards;
      if (board === undefined) return [];
      await board.start(new AbortController().signal);
      await stage.clock.advance(10 * minuteMs);
      context.say('wire: an hour in which nothing happens');
      const quiet = await hour(stage, () => undefined);
      context.say('wire: an hour of a crash loop');
      const crashing = await hour(stage, () => crash(stage));
      const told = stage.bus.told.get(board.name) ?? new Map<string, string>();
      const naive = naiveHour(board.name, told);
      return [
        ...rows('quiet hour', quiet, naive, { isQuiet: true }),
        ...rows('crash loop', crashing, naive, { isQuiet: false }),
      ];
    } finally {
      await stage.end();
    }
  },
};

function crash({ clock, boards }: FleetStage): void {
  const [board] = boards;
  board?.restart();
  board?.set('EdgecoreReady', false);
  clock.after(crashEveryMs / 2, () => board?.set('EdgecoreReady', true));
}

async function hour({ clock, traffic, bus }: FleetStage, every: () => void): Promise<Hour> {
  const { twins, questions, patches, events, keepalives } = traffic;
  const look = (): Hour => ({
    mqttBytes: twins.bytes + questions.bytes,
    mqttMessages: twins.atMs.length + questions.atMs.length,
    hubBytes: patches.bytes + events.bytes + keepalives.bytes,
    hubMessages: patches.atMs.length + events.atMs.length + keepalives.atMs.length,
    deviceWrites: bus.deviceWrites,
    nodeWrites: patches.atMs.length + events.atMs.length,
  });
  const before = look();
  for (let passedMs = 0; passedMs < hourMs; passedMs += crashEveryMs) {
    every();
    await clock.advance(crashEveryMs);
  }
  const after = look();
  return Object.fromEntries(
    Object.entries(after).map(([key, value]) => [key, value - before[key as keyof Hour]]),
  ) as unknown as Hour;
}

/** The whole twin every ten seconds, whatever happens. */
function naiveHour(node: string, values: ReadonlyMap<string, string>): Hour {
  const payload = encodeUpdate('00000000-360', Date.now(), values);
  const topic = `$hw/events/device/default/${node}-agent/twin/update`;
  const messages = hourMs / naiveMs;
  const mqttBytes = messages * (Buffer.byteLength(topic) + Buffer.byteLength(payload) + publishBytes);
  return {
    mqttBytes,
    mqttMessages: messages,
    hubBytes: 0,
    hubMessages: 0,
    deviceWrites: messages,
    nodeWrites: 0,
  };
}

function rows(
  when: string,
  seen: Hour,
  naive: Hour,
  { isQuiet }: { readonly isQuiet: boolean },
): readonly Measurement[] {
  const row = (name: string, unit: string, key: keyof Hour, most?: number): Measurement => {
    const goal: Goal | undefined =
      most === undefined || !isQuiet ? undefined : { of: 'value', is: '<=', bound: most };
    return {
      group: 'wire',
      name: `${when}: ${name}`,
      unit,
      summary: single(seen[key]),
      ...(naive[key] === 0
        ? {}
        : { reference: { name: 'whole twin every 10 s', summary: single(naive[key]) } }),
      ...(goal === undefined ? {} : { goal }),
    };
  };
  return [
    row('MQTT', 'B/h', 'mqttBytes', 20_000),
    row('MQTT', 'messages/h', 'mqttMessages'),
    row('writes of the Device', '1/h', 'deviceWrites', 12),
    row('CloudHub', 'B/h', 'hubBytes', 20_000),
    row('CloudHub', 'messages/h', 'hubMessages'),
    row('writes of the Node and its events', '1/h', 'nodeWrites'),
  ];
}
