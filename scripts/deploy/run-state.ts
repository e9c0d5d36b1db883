import { places } from './places.ts';
import type { RemoteBoard } from './remote-board.ts';

/** Longest wait for the agent's end in seconds; its stop script may take 18. */
const longestStop = 40;

/**
 * `begetctl` only hands the order to init, so the end of the process is what tells. Whatever the agent is started by ends
 * in `t.js` (agent.js, start.js); agentctl.js does not.
 */
function untilGone(tool: string): string {
  const isRunning = `${tool} pgrep -f '[/]oh-edge-agent/.*t[.]js' >/dev/null`;
  return `i=0; while ${isRunning} && [ $i -lt ${longestStop} ]; do ${tool} sleep 1; i=$((i+1)); done; ! ${isRunning}`;
}

/** Stops the agent with its units in order, and waits until it is gone. */
export async function stopAgent(board: RemoteBoard, tool: string): Promise<void> {
  await board.must('stop the agent', `begetctl stop_service ${places.service} && { ${untilGone(tool)}; }`);
}

/** Ends the process that keeps the private mount namespace, so that nothing of a deployment stays mounted. */
export async function endNamespace(board: RemoteBoard): Promise<void> {
  const isThisBoot = '[ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ]';
  await board.shell(`read -r boot pid start <${places.holder} && ${isThisBoot} && kill "$pid"`);
}
