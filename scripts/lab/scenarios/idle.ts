import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { onReadyBoard } from './ready-board.ts';

/** Time without anybody asking, in seconds. */
const idleSeconds = 60;
/** The kernel counts threads as well, and the runtimes of dockerd and containerd start one now and then. */
const mayStart = 2;

/** A board where nothing happens starts no process: forks are what costs an idle board most. */
export const idle = onReadyBoard(
  'nobody asks for a minute: neither the agent nor its units start a process',
  async (board, { progress }) => {
    await progress.step(`processes that are started in ${idleSeconds} s`, async (note) => {
      const first = await startedAfter(board, 0);
      const before = await startedAfter(board, 0);
      const own = before - first;
      const started = (await startedAfter(board, idleSeconds)) - before - own;
      note(`${started} processes and threads, besides the ${own} of each question`);
      if (started > mayStart)
        throw new AgentError('TOOL_FAILED', `${started} processes or threads were started, want none`);
    });
  },
);

/** Processes and threads since boot, read after a while in which this asks nothing. */
async function startedAfter(board: Board, seconds: number): Promise<number> {
  const stat = await board.run(`sleep ${seconds}; cat /proc/stat`, { timeoutMs: (seconds + 60) * 1_000 });
  return Number(/^processes (\d+)/m.exec(stat)?.[1]);
}
