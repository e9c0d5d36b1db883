import { readFile } from 'node:fs/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { waitUntilReady } from './agent.ts';
import type { Scenario } from './scenario.ts';

/** The main promise: init started the agent, Docker is up, two containers run, the board powers off in order. */
export const check: Scenario = {
  summary: 'wait for the agent, run doctor, status and selftest, power off',
  run: async ({ boot, progress }) => {
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    for (const command of ['doctor', 'status', 'selftest']) {
      await progress.step(`agentctl ${command}`, () => show(board, `agentctl ${command}`));
    }
    await progress.step('power off in order', () => powerOffInOrder(board));
  },
};

/** The power goes only after the agent has stopped its units; init logs how the script that asks it ended. */
async function powerOffInOrder(board: Board): Promise<void> {
  await board.powerOff();
  const log = await readFile(board.consoleLog, 'utf8');
  const [line = 'the on-stop job did not run'] = /syncexec .*stop\.sh: exit .*/.exec(log) ?? [];
  if (!line.endsWith('exit 0')) {
    throw new AgentError('TOOL_FAILED', `The agent did not stop in order: ${line}; see ${board.consoleLog}`);
  }
}

/** Runs a command on the board with its output on ours. */
async function show(board: Board, line: string): Promise<void> {
  process.stdout.write(`\n$ ${line}\n`);
  const onOutput = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const { code } = await board.exec(line, { onOutput, timeoutMs: 240_000 });
  if (code !== 0) throw new AgentError('TOOL_FAILED', `"${line}" ended with ${code} on the board`);
}
