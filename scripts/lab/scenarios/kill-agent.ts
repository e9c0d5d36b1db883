import type { Board } from '../board.ts';
import { container, readStatus, startContainer, waitUntilReady } from './agent.ts';
import { eventually, expectEqual } from './expect.ts';
import type { Scenario } from './scenario.ts';

/** The agent dies, its units do not: the next one finds them and goes on. */
export const killAgent: Scenario = {
  summary: 'SIGKILL to the agent: dockerd and a container live on, the next agent takes them over',
  run: async ({ boot, progress }) => {
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    const before = await progress.step('start a container', () => startContainer(board));
    const agent = (await readStatus(board)).agent.pid;
    await progress.step('kill the agent', () => board.run(`kill -9 ${agent}`));
    await progress.step('a new agent has taken dockerd over', () => takenOver(board, agent));
    expectEqual('the container', await container(board), before);
    await progress.step('power off', () => board.powerOff());
  },
};

/** Waits for another agent that has dockerd. */
export async function takenOver(board: Board, oldAgent: number, withinMs = 90_000): Promise<void> {
  await eventually('a new agent says that dockerd is adopted and ready', withinMs, async () => {
    const status = await readStatus(board).catch((error: unknown) => String(error));
    if (typeof status === 'string') return status;
    const dockerd = status.units.find(({ name }) => name === 'dockerd');
    const isDone = status.agent.pid !== oldAgent && dockerd?.phase === 'ready' && dockerd.adopted === true;
    return isDone || `agent ${status.agent.pid}, dockerd ${JSON.stringify(dockerd)}`;
  });
}
