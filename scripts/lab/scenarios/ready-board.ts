import { readFile } from 'node:fs/promises';
import { AgentError } from '../../../agent/core/agent-error.ts';
import type { Board } from '../board.ts';
import { waitUntilReady } from './agent.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** A scenario that needs one board on which Docker is ready, and leaves it so. */
export interface ReadyBoardScenario extends Scenario {
  readonly onBoard: (board: Board, context: ScenarioContext) => Promise<void>;
}

/** Makes a scenario of what is done to a ready board. */
export function onReadyBoard(
  summary: string,
  onBoard: (board: Board, context: ScenarioContext) => Promise<void>,
): ReadyBoardScenario {
  return { summary, onBoard, run: (context) => runOnOneBoard([{ onBoard }], context) };
}

/** Reports whether scenarios can share a board. */
export function canShareBoard(scenario: Scenario): scenario is ReadyBoardScenario {
  return 'onBoard' in scenario;
}

/** Boots, waits for Docker, does one thing after the other, and powers off in order. */
export async function runOnOneBoard(
  scenarios: readonly Pick<ReadyBoardScenario, 'onBoard'>[],
  context: ScenarioContext,
): Promise<void> {
  const { boot, progress } = context;
  const board = await boot();
  await progress.step('wait for Docker under the agent', () => waitUntilReady(board));
  for (const { onBoard } of scenarios) await onBoard(board, context);
  await progress.step('power off in order', () => powerOffInOrder(board));
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
