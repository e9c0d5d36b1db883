import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AgentError } from '../../agent/core/agent-error.ts';
import { sendChecked } from './push.ts';
import type { RemoteBoard } from './remote-board.ts';

/** Where the pushed program lies while a deployment runs; by another beginning of its name it would be another tool. */
const place = '/data/local/tmp/busybox-oh-edge-agent';

/**
 * Brings the static busybox onto the board, before anything else: one file, with which the board is tried and
 * everything further is verified. toybox has sha256sum since 5.0.3 only and lacks gzip on some images.
 */
export async function pushTool(board: RemoteBoard, busybox: string): Promise<string> {
  const sum = createHash('sha256')
    .update(await readFile(busybox))
    .digest('hex');
  await board.must('make a folder for tools', 'mkdir -p /data/local/tmp');
  const isThere = async (): Promise<boolean> => {
    const { code, out } = await board.shell(`chmod 0755 ${place} && ${place} sha256sum ${place}`);
    return code === 0 && out.startsWith(sum);
  };
  if (!(await isThere())) await sendChecked(board, { local: busybox, remote: place, isThere });
  const { code, out } = await board.shell(`${place} true`);
  if (code === 0) return place;
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot run a program from /data on this board: ${out.trim().slice(-200)}; an image that enforces SELinux wants the product as a part of itself: npm run image -- component`,
  );
}

/** Takes the program off the board again; a board that no longer answers keeps it. */
export async function removeTool(board: RemoteBoard): Promise<void> {
  await board.shell(`rm -f ${place}`).catch(() => undefined);
}
