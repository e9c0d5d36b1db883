import { readFile } from 'node:fs/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { importImage, inside, waitUntilReady } from './agent.ts';
import { eventually } from './expect.ts';
import { freePort, startHostServer } from './host-server.ts';
import type { Scenario } from './scenario.ts';

/** Port of the board at which the check publishes a container. */
const publishedPort = 8080;

/** The main promise: init started the agent, Docker is up, two containers run, the board powers off in order. */
export const check: Scenario = {
  summary: 'wait for the agent, run doctor, status and selftest, reach a published port, power off',
  run: async ({ boot, progress }) => {
    await using server = await startHostServer();
    const board = await boot();
    await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
    await progress.step('agentctl doctor', () => show(board, 'agentctl doctor'));
    await progress.step('agentctl status', () => show(board, 'agentctl status'));
    const selftest = `agentctl selftest --egress 10.0.2.2:${server.port}`;
    await progress.step('agentctl selftest', () => show(board, selftest));
    await progress.step('a published port of a container is reached from outside', () => publish(board));
    await progress.step('power off in order', () => powerOffInOrder(board));
  },
};

/** Runs a command on the board with its output on ours. */
async function show(board: Board, line: string): Promise<void> {
  process.stdout.write(`\n$ ${line}\n`);
  const onOutput = (bytes: Uint8Array): void => void process.stdout.write(bytes);
  const { code } = await board.exec(line, { onOutput, timeoutMs: 240_000 });
  if (code !== 0) throw new AgentError('TOOL_FAILED', `"${line}" ended with ${code} on the board`);
}

async function publish(board: Board): Promise<void> {
  const text = 'hello from a published port';
  await importImage(board);
  const serve = `/bin/busybox httpd -f -p 80 -h /www`;
  const make = `/bin/busybox mkdir /www; echo ${text} >/www/index.html; exec ${serve}`;
  await board.run(inside(`docker run -d -p ${publishedPort}:80 lab:1 /bin/busybox sh -c "${make}"`), {
    timeoutMs: 120_000,
  });
  const port = await freePort();
  await board.forward({ host: port, board: publishedPort });
  await eventually(`127.0.0.1:${port} answers from the container`, 30_000, async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })
      .then((response) => response.text())
      .catch((error: unknown) => String(error));
    return answer.includes(text) || answer;
  });
}

/** The power goes only after the agent has stopped its units; init logs how the script that asks it ended. */
async function powerOffInOrder(board: Board): Promise<void> {
  await board.powerOff();
  const log = await readFile(board.consoleLog, 'utf8');
  const [line = 'the on-stop job did not run'] = /syncexec .*stop\.sh: exit .*/.exec(log) ?? [];
  if (!line.endsWith('exit 0')) {
    throw new AgentError('TOOL_FAILED', `The agent did not stop in order: ${line}; see ${board.consoleLog}`);
  }
}
