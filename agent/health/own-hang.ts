import { messageOf } from '../core/agent-error.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { HealthBoard } from './board.ts';

/** What is needed to tell of a hang. */
export interface OwnHangOptions {
  readonly files: Files;
  readonly board: HealthBoard;
  readonly log: Log;
  /** What launch.sh wrote before it killed an agent whose main thread hung. */
  readonly path: string;
}

/** A hang is told in less than this; more is not from launch.sh. */
const maxBytes = 16_384;

/** Tells once that the agent before this one hung and was killed, with what was seen of it; the file stays under another name. */
export async function tellOwnHang({ files, board, log, path }: OwnHangOptions): Promise<void> {
  try {
    const text = await files.read(path, maxBytes);
    if (text === undefined) return;
    const lines = text.split('\n').filter((line) => line !== '');
    board.record('agent.hung', { lines });
    log.error('agent.hung', { lines });
    await files.move(path, `${path}.told`);
  } catch (error) {
    log.warn('agent.hung.unread', { path, error: messageOf(error) });
  }
}
