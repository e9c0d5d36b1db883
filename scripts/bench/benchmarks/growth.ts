import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildStage } from '../../fleet/stage.ts';
import type { Benchmark, Context } from '../benchmark.ts';
import { heapBytes } from '../heap.ts';
import { pause } from '../launch.ts';
import { memoryOf } from '../processes.ts';
import type { Goal, Measurement } from '../result.ts';
import { single } from '../statistics.ts';
import { agentSubject } from '../subjects/agent.ts';

const lineBytes = 100;
/** Interval of the reports in the default configuration, in milliseconds. */
const intervalMs = 10_000;
const mb = 1024 * 1024;
const half = 'after half of them';

/** Whether the agent grows with what it has done. */
export const growth: Benchmark = {
  name: 'growth',
  groups: ['growth'],
  isOnDemand: true,
  about:
    "resident memory of an agent after 10^6 log lines of a unit beside that after half of them; heap behind a full collection of the room of reports of one board, with its real links and the stand-ins of broker and cloud in the same process, after 10^5 reports beside that after half of them (10^5 status requests: group memory of 'latency')",
  run: async (context) => {
    const lines = await afterLines(context, context.isQuick ? 200_000 : 1_000_000);
    return [...lines, ...(await afterReports(context, context.isQuick ? 2_000 : 100_000))];
  },
};

async function afterLines({ stage, agent, say }: Context, count: number): Promise<readonly Measurement[]> {
  const flood = path.join(stage.folder(), 'flood.txt');
  const pieces = 10;
  writeFileSync(flood, `${'x'.repeat(lineBytes - 1)}\n`.repeat(count / pieces));
  const { units, running } = await stage.put(agentSubject(agent), stage.units(['unit'], flood));
  const resident: number[] = [];
  for (let piece = 1; piece <= pieces; piece += 1) {
    say(`growth: ${(count / pieces) * piece} lines`);
    await units.flood('unit');
    await pause(1_000);
    resident.push(memoryOf(running.supervisors()).rss / mb);
  }
  return [row(`resident after ${count} lines`, resident[pieces / 2 - 1] ?? 0, resident[pieces - 1] ?? 0)];
}

async function afterReports({ say }: Context, count: number): Promise<readonly Measurement[]> {
  const stage = await buildStage(1);
  try {
    const [board] = stage.boards;
    if (board === undefined) return [];
    const { twins, patches } = stage.traffic;
    await board.start(new AbortController().signal);
    await stage.clock.advance(60 * intervalMs);
    const heaps: number[] = [];
    let isWell = true;
    for (let sent = 0; sent < count; ) {
      isWell = !isWell;
      board.set('NetworkReady', isWell);
      await stage.clock.advance(intervalMs);
      const before = sent;
      sent += twins.atMs.length + patches.atMs.length;
      // What counts the messages must not be what grows.
      twins.atMs.length = 0;
      patches.atMs.length = 0;
      if (Math.floor(before / 1_000) !== Math.floor(sent / 1_000)) say(`growth: ${sent} reports`);
      if (heaps.length === 0 && sent >= count / 2) heaps.push(heapBytes() / mb);
    }
    heaps.push(heapBytes() / mb);
    return [row(`heap after ${count} reports`, heaps[0] ?? 0, heaps[1] ?? 0)];
  } finally {
    await stage.end();
  }
}

function row(name: string, before: number, after: number): Measurement {
  const goal: Goal = { of: 'ratio', is: '<=', bound: 1.05 };
  const reference = { name: half, summary: single(before) };
  return { group: 'growth', name, unit: 'MB', summary: single(after), reference, goal };
}
