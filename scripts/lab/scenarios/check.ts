import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import type { Scenario } from './scenario.ts';

/** Time for the agent to have Docker ready after boot, in seconds; translated arm64 code is slow. */
const readySeconds = 240;

/** The main promise: init started the agent, Docker is up, two containers run, the board powers off in order. */
export const check: Scenario = {
  summary: 'wait for the agent, run doctor, status and selftest, power off',
  run: async ({ board, progress }) => {
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    for (const command of ['doctor', 'status', 'selftest']) {
      await progress.step(`agentctl ${command}`, () => show(board, `agentctl ${command}`));
    }
    await progress.step('power off', () => board.powerOff());
  },
};

/** Waits for Docker, then for everything; on a timeout the agent's own words say what is missing. */
export async function waitUntilReady(board: Board): Promise<void> {
  const wait = `agentctl wait --timeout ${readySeconds}s --for`;
  const { code, stdout, stderr } = await board.exec(`${wait} condition=DockerReady && ${wait} ready`);
  if (code === 0) return;
  const status = await board.exec('agentctl status; agentctl logs; cat /data/oh-edge-agent/log/launch.log');
  throw new AgentError(
    'TIMED_OUT',
    `The agent was not ready: ${(stderr || stdout).trim()}\n${status.stdout}${status.stderr}`,
  );
}

/** Runs a command on the board with its output on ours. */
async function show(board: Board, line: string): Promise<void> {
  process.stdout.write(`\n$ ${line}\n`);
  const onOutput = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const { code } = await board.exec(line, { onOutput, timeoutMs: 240_000 });
  if (code !== 0) throw new AgentError('TOOL_FAILED', `"${line}" ended with ${code} on the board`);
}
