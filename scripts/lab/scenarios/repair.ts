import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { inside, readPlan, readStatus, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import type { Scenario } from './scenario.ts';

const ip = '/vendor/lab/bin/ip';
/** Longest time from damage to repair, in milliseconds. */
const repairWithinMs = 10_000;

/** Ways in which a person or the system damages the ground work, and how to see that it is whole. */
const damages = [
  { what: 'a cgroup hierarchy is unmounted', line: inside('umount /sys/fs/cgroup/devices') },
  {
    what: 'an ip rule is deleted',
    line: `${ip} rule del pref $(${ip} rule | sed -n "s/^\\(8[0-9]*\\):.*/\\1/p" | head -n 1)`,
  },
  { what: 'netmanager rewrites its rules', line: '/vendor/lab/bin/netmanager rewrite' },
  { what: 'the last hotspot ends', line: '/vendor/lab/bin/netmanager hotspot-off' },
];

/** Drift is found and repaired, and only drift: a whole board has an empty plan. */
export const repair: Scenario = {
  summary: 'damage to mounts, rules and sysctls is repaired within 10 s and counted',
  run: async ({ boot, progress }) => {
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    expectEqual('plan of a whole board', (await readPlan(board)).steps, []);
    for (const { what, line } of damages) await progress.step(what, (note) => damage(board, line, note));
    await progress.step('power off', () => board.powerOff());
  },
};

/** Netmanager's own rewrite may leave our rules alone; then there is nothing to repair and that is fine. */
async function damage(board: Board, line: string, note: (text: string) => void): Promise<void> {
  const before = (await readStatus(board)).prep.repairs;
  await board.run(line);
  const startedMs = performance.now();
  let repairs = before;
  await eventually('the plan is empty again', repairWithinMs * 3, async () => {
    const { steps } = await readPlan(board);
    if (steps.length > 0) note(`to do: ${steps.map((step) => step.what).join('; ')}`);
    return steps.length === 0 || 'steps are left';
  });
  const { prep } = await readStatus(board);
  repairs = prep.repairs;
  const lasted = Math.round(performance.now() - startedMs);
  note(
    `${repairs - before} repairs, the last: ${prep.lastRepair?.what ?? 'none'}; whole again after at most ${lasted} ms`,
  );
  if (repairs === before && !line.includes('rewrite')) {
    throw new AgentError('TOOL_FAILED', 'The board is whole again, but the agent counted no repair');
  }
}
