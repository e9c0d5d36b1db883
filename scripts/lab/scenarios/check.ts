import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import type { Scenario } from './scenario.ts';

/** Time for the agent to have Docker ready after boot, in milliseconds; translated arm64 code is slow. */
const readyTimeoutMs = 180_000;
const pollMs = 1_000;

/** The main promise: init started the agent, Docker is up, two containers run, the board powers off in order. */
export const check: Scenario = {
  summary: 'wait for the agent, run doctor, status and selftest, power off',
  run: async ({ board, progress }) => {
    await progress.step('wait for the agent to be ready', async (note) => waitForAgent(board, note));
    for (const command of ['doctor', 'status', 'selftest']) {
      await progress.step(`agentctl ${command}`, async () => show(board, `agentctl ${command}`));
    }
    await progress.step('power off', async () => board.powerOff());
  },
};

async function waitForAgent(board: Board, note: (text: string) => void): Promise<void> {
  const end = performance.now() + readyTimeoutMs;
  let last = '';
  while (performance.now() < end) {
    const { code, stdout, stderr } = await board.exec('agentctl status', { timeoutMs: 60_000 });
    if (code === 0) return;
    const text = (stderr || stdout).trim().split('\n').at(-1) ?? '';
    if (text !== last) note(text);
    last = text;
    await sleep(pollMs);
  }
  throw new AgentError('TIMED_OUT', `The agent was not ready within ${readyTimeoutMs / 1000} s: ${last}`);
}

/** Runs a command on the board with its output on ours. */
async function show(board: Board, line: string): Promise<void> {
  process.stdout.write(`\n$ ${line}\n`);
  const onOutput = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const { code } = await board.exec(line, { onOutput, timeoutMs: 240_000 });
  if (code !== 0) throw new AgentError('TOOL_FAILED', `"${line}" ended with ${code} on the board`);
}
