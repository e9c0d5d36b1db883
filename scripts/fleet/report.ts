import type { FleetResult } from './story.ts';

/** A number that a fleet is held to. */
export interface FleetGoal {
  readonly name: string;
  readonly value: number;
  readonly goal: string;
  readonly ok: boolean;
}

const few = 100;

/** The goals of one fleet. A peak of few boards shows chance and no storm: below 100 it is held to nothing. */
export function goalsOf({ boards, steady, storm, lost, query }: FleetResult): readonly FleetGoal[] {
  const at = (most: number, name: string, value: number, unit: string): FleetGoal => {
    return { name, value, goal: `<= ${most} ${unit}`, ok: value <= most };
  };
  const peaks =
    boards < few
      ? []
      : [
          at(
            3,
            'return: peak of twin updates by the mean of the window',
            storm.twins.peak / storm.twins.mean,
            '×',
          ),
          at(
            3,
            'return: peak of Node patches by the mean of the window',
            storm.patches.peak / storm.patches.mean,
            '×',
          ),
        ];
  return [
    at(
      20_000,
      'steady: bytes per board and hour, MQTT and WebSocket',
      steady.mqttBytes + steady.hubBytes,
      'bytes',
    ),
    at(12, 'steady: writes of the Device object per board and hour', steady.deviceWrites, 'writes'),
    ...peaks,
    at(
      0,
      'lost: boards whose twin or Node does not say the last word',
      lost.twins + lost.conditions,
      'boards',
    ),
    at(0, 'lost: boards whose event never came', lost.events, 'boards'),
    at(0, 'questions without an answer', boards - query.answered, 'boards'),
  ];
}

/** One fleet as text. */
export function renderFleet(result: FleetResult): string {
  const { boards, steady, cloudWritesPerSecond, storm, query, memory } = result;
  const number = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));
  const spread = (name: string, of: FleetResult['storm']['twins']): string =>
    `  ${name}: ${of.count}, mean ${number(of.mean)}/s, peak ${number(of.peak)}/s, the last after ${number(of.lastSeconds)} s`;
  return [
    `${boards} boards (simulated; real reports, real MQTT and TLS; CloudHub and edgecore are stand-ins), ${number(result.realSeconds)} s of real time`,
    `  quiet hour, per board: MQTT ${number(steady.mqttMessages)} messages, ${number(steady.mqttBytes)} bytes, ${number(steady.deviceWrites)} writes of the Device; CloudHub ${number(steady.hubSessions)} sessions, ${number(steady.hubBytes)} bytes, ${number(steady.nodeWrites)} writes of the Node; flash ${number(memory.flashBytesPerHour)} bytes`,
    `  quiet hour, one cloudcore for all: ${number(cloudWritesPerSecond)} writes/s`,
    '  return of the cloud after 5 min, seen by all in the same instant; each line is 120 s:',
    ...storm.pictures.map((picture) => `    ${picture}`),
    spread('  twin updates', storm.twins),
    spread('  sessions with CloudHub', storm.sessions),
    spread('  patches of Nodes', storm.patches),
    `  a question to all: ${query.answered} answers, ${number(query.bytes)} bytes and ${number(query.msPerAnswer)} ms each`,
    `  memory of the simulator: ${number(memory.kbPerBoard)} KB per board; answers that never came: ${result.stalls}`,
    ...goalsOf(result).map(
      ({ name, value, goal, ok }) => `  ${ok ? 'ok    ' : 'MISSED'} ${name}: ${number(value)} (${goal})`,
    ),
    '',
  ].join('\n');
}
