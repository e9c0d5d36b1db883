import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { places } from './places.ts';
import type { RemoteBoard } from './remote-board.ts';
import { endNamespace, stopAgent } from './run-state.ts';

/** Takes everything of a deployment off the board; data of containers stays unless it is to be wiped. */
export async function uninstall(board: RemoteBoard, wipesData: boolean): Promise<void> {
  const look = await board.shell(`[ -L ${places.product} ]`);
  if (look.code !== 0) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot uninstall: ${places.product} is no link, so nothing was deployed here`,
    );
  }
  await stopAgent(board, `${places.product}/bin/busybox`);
  await endNamespace(board);
  try {
    await board.must(
      'remove the product from the root',
      `mount -o rw,remount / && rm -f ${places.product} ${places.cfg} ${places.agentctl}`,
    );
  } finally {
    await board.shell('sync; mount -o ro,remount /');
  }
  const home = path.posix.dirname(places.slots);
  await board.must(
    'remove the slots',
    wipesData ? `rm -rf ${home}` : `rm -rf ${places.slots} ${places.active}`,
  );
}
