import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { onReadyBoard } from './ready-board.ts';

/** Time without anybody asking, in milliseconds. */
const idleSeconds = 60;

/** A board where nothing happens starts no process: forks are what costs an idle board most. */
export const idle = onReadyBoard(
  'nobody asks for a minute: neither the agent nor its units start a process',
  async (board, { progress }) => {
    await progress.step(`processes that are started in ${idleSeconds} s`, async (note) => {
      const before = await startedProcesses(board);
      const line = `sleep ${idleSeconds}; cat /proc/stat`;
      const after = processesOf(await board.run(line, { timeoutMs: (idleSeconds + 60) * 1_000 }));
      // The shell of this question, its sleep and its cat.
      const own = 3;
      const started = after - before - own;
      note(`${started}, besides the ${own} of the question itself`);
      if (started > 0) throw new AgentError('TOOL_FAILED', `${started} processes or threads were started`);
    });
  },
);

/** Forks and threads since boot. */
async function startedProcesses(board: Board): Promise<number> {
  return processesOf(await board.run('cat /proc/stat'));
}

function processesOf(stat: string): number {
  return Number(/^processes (\d+)/m.exec(stat)?.[1]);
}
