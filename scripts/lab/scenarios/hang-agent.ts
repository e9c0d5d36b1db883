import type { LedgerDocument } from '../../../agent/api/wire.ts';
import { AgentError } from '../../../agent/core/agent-error.ts';
import { homeDir } from '../../../agent/core/constants.ts';
import { ask, container, readStatus, startContainer, waitUntilReady } from './agent.ts';
import { expectEqual } from './expect.ts';
import { takenOver } from './kill-agent.ts';
import type { Scenario } from './scenario.ts';

/** The holder of the namespace waits five minutes, and up to a third of that since the last word. */
const patienceMs = 600_000;

/** The agent hangs for good: it is ended, and the next one goes on and tells of it. */
export const hangAgent: Scenario = {
  summary:
    'SIGSTOP to the agent: after five minutes it is killed, the next agent takes dockerd over and tells',
  run: async ({ boot, progress }) => {
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    const before = await progress.step('start a container', () => startContainer(board));
    const agent = (await readStatus(board)).agent.pid;
    await progress.step('stop the agent', () => board.run(`kill -STOP ${agent}`));
    await progress.step('a new agent has taken dockerd over', () => takenOver(board, agent, patienceMs));
    expectEqual('the container', await container(board), before);
    const { records } = await ask<LedgerDocument>(board, 'ledger');
    const hang = records.find(({ reason }) => reason === 'AgentHung');
    if (hang === undefined) {
      const said = await board.exec(`cat ${homeDir}/log/launch.log`);
      throw new AgentError(
        'TOOL_FAILED',
        `The ledger says nothing of the hang; the start script: ${said.stdout}`,
      );
    }
    progress.say([hang.message, ...(hang.evidence ?? [])].join('; '));
    await progress.step('power off', () => board.powerOff());
  },
};
