import { setTimeout as sleep } from 'node:timers/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';
import { readStarted, startEvents, startedText } from '../started.ts';
import { onReadyBoard } from './ready-board.ts';

/** Time for the last work after a start, in seconds: a minute later each file of the product is read by a program. */
const settledSeconds = 300;
/** Seconds without anybody asking: longer than the minute in which all that the agent does at rest comes round. */
const idleSeconds = 75;
/** The runtimes of dockerd and containerd start a thread now and then, and so does the kernel. */
const mayStartThreads = 2;
/** The only one of the lab's programs on the board that starts others. */
const ownName = 'hdcd';
const tracing = '/dev/lab-tracing';

/** A board where nothing happens starts no process: forks are what costs an idle board most. */
export const idle = onReadyBoard(
  'nobody asks for a minute: neither the agent nor its units start a process',
  async (board, { progress }) => {
    await progress.step('wait for what the agent does once after its start', async () => {
      await board.run(`agentctl wait --timeout ${settledSeconds}s --for condition=PartsVerified`);
    });
    await progress.step(`processes that are started in ${idleSeconds} s`, async (note) => {
      const events = startEvents.map((event) => `${tracing}/events/${event}/enable`);
      const enable = (value: 0 | 1): string => events.map((file) => `echo ${value} >${file}`).join('; ');
      await board.run(`mkdir -p ${tracing} && mount -t tracefs tracefs ${tracing} && { ${enable(1)}; }`);
      await sleep(idleSeconds * 1_000);
      const trace = await board.run(`${enable(0)}; cat ${tracing}/trace; umount ${tracing}`);
      const { own, others } = readStarted(trace, ownName);
      // The shell that switches the trace off.
      if (own.length === 0)
        throw new AgentError('TOOL_FAILED', 'The trace of the board has not seen its own end');
      const lines = startedText(others);
      for (const line of lines) note(line);
      const processes = others.filter(({ kind }) => kind === 'process').length;
      const threads = others.length - processes;
      note(`${processes} processes, ${threads} threads`);
      if (processes > 0 || threads > mayStartThreads)
        throw new AgentError(
          'TOOL_FAILED',
          `${processes} processes and ${threads} threads were started, want none and at most ${mayStartThreads}: ${lines.join('; ')}`,
        );
    });
  },
);
