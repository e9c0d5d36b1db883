import type { UpdateDocument } from '../../../agent/api/wire.ts';
import { homeDir, productDir } from '../../../agent/core/constants.ts';
import type { Board } from '../board.ts';
import { ask, container, readStatus, startContainer, waitUntilReady } from './agent.ts';
import { expectEqual } from './expect.ts';
import type { Scenario } from './scenario.ts';

const folder = '/data/local/update';
/** Longest time for a change with its trial, in milliseconds; translated arm64 code is slow. */
const changeMs = 300_000;

/** Parts are replaced on the running board: by one that works, by one that ends at once, and back. */
export const update: Scenario = {
  summary: 'a new agent and a new dockerd prove themselves, a broken agent is given up; a container lives on',
  run: async ({ boot, progress }) => {
    const board = await boot();
    // A new agent has to bring back what is good by now, so nobody waits for Docker yet.
    await progress.step('wait for the agent', () => board.run('agentctl wait --for condition=Prepared'));
    await board.run(`mkdir -p ${folder}; echo 'restart.stableMs: 5000' >${homeDir}/agent.yaml`);
    await progress.step('a new agent proves itself', async () => {
      await board.run(`sed '1s/agent [0-9.]* /agent 7.7.7 /' ${productDir}/agent.js >${folder}/agent.js`);
      const { ok, to, outcome } = await change(board, `update agent --from ${folder}/agent.js`);
      expectEqual(`the verdict (${outcome.reason}: ${outcome.message})`, ok, true);
      expectEqual('its version', to.version, '7.7.7');
    });
    await progress.step('an agent that ends at once is given up', async () => {
      const broken = `head -n 1 ${folder}/agent.js; echo 'throw new Error("broken on purpose")'`;
      await board.run(`{ ${broken}; } | sed '1s/7.7.7/8.8.8/' >${folder}/broken.js`);
      const { ok, to, outcome } = await change(board, `update agent --from ${folder}/broken.js`);
      expectEqual('the verdict', ok, false);
      expectEqual('the reason', outcome.reason, 'NeverConfirmed');
      expectEqual('the agent that is used', to.version, '7.7.7');
    });
    await progress.step('wait for Docker', () => waitUntilReady(board));
    const before = await progress.step('start a container', () => startContainer(board));
    await progress.step('a new dockerd proves itself', async () => {
      await board.run(`cp ${productDir}/docker/dockerd ${folder}/dockerd`);
      const { ok, outcome } = await change(board, `update dockerd --from ${folder}/dockerd`);
      expectEqual(`the verdict (${outcome.reason}: ${outcome.message})`, ok, true);
    });
    const dockerd = (await readStatus(board)).units.find(({ name }) => name === 'dockerd');
    const program = await board.run(`readlink /proc/${dockerd?.pid}/exe`);
    expectEqual('dockerd runs from the new place', program.startsWith(`${homeDir}/parts/dockerd/`), true);
    expectEqual('the container', await container(board), before);
    await progress.step('power off', () => board.powerOff());
  },
};

/** Asks for a change and waits for its verdict; exit code 1 says that it was taken back. */
function change(board: Board, command: string): Promise<UpdateDocument> {
  return ask(board, command, changeMs);
}
