import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { type HdcBoard, quote } from './hdc.ts';

/** Bytes that are sent at once: what a broken connection costs at most. */
const usualPieceBytes = 16 * 1024 * 1024;

/** What is sent and where it goes. */
export interface PushOrder {
  readonly file: string;
  /** Folder on the board for the pieces; what lies there from an earlier run is used again. */
  readonly folder: string;
  readonly pieceBytes?: number;
  readonly say: (text: string) => void;
}

/**
 * Sends a file in pieces and verifies each on the board, so that a broken push goes on where it stopped. Returns the
 * pieces' paths on the board in order.
 */
export async function push(board: HdcBoard, order: PushOrder): Promise<readonly string[]> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  const folder = quote(order.folder);
  const list = `mkdir -p ${folder} && { sha256sum ${folder}/* 2>/dev/null; true; }`;
  const here = await board.must('look for pieces of an earlier run', list);
  const source = await open(order.file);
  const sent: string[] = [];
  try {
    const { size } = await stat(order.file);
    const pieceBytes = order.pieceBytes ?? usualPieceBytes;
    const count = Math.ceil(size / pieceBytes);
    for (let index = 0; index < count; index += 1) {
      const bytes = Buffer.alloc(Math.min(pieceBytes, size - index * pieceBytes));
      await source.read(bytes, 0, bytes.length, index * pieceBytes);
      const sum = createHash('sha256').update(bytes).digest('hex');
      const remote = `${order.folder}/${String(index).padStart(4, '0')}-${sum.slice(0, 12)}`;
      sent.push(remote);
      if (here.includes(`${sum}  ${remote}`)) continue;
      const local = path.join(scratch, 'piece');
      await writeFile(local, bytes);
      await sendPiece(board, local, remote, sum);
      order.say(`sent piece ${index + 1} of ${count}`);
    }
    return sent;
  } finally {
    await source.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function isThere(board: HdcBoard, remote: string, sum: string): Promise<boolean> {
  const { code, out } = await board.shell(`sha256sum ${quote(remote)} 2>/dev/null`);
  return code === 0 && out.startsWith(sum);
}

/** A connection may break or bend a piece; more than twice means that something is wrong. */
async function sendPiece(board: HdcBoard, local: string, remote: string, sum: string): Promise<void> {
  let why = 'it does not arrive as it was sent';
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    why = await board.send(local, remote).then(() => 'it does not arrive as it was sent', messageOf);
    if (await isThere(board, remote, sum)) return;
  }
  throw new AgentError(
    'TOOL_FAILED',
    `Cannot send a piece to ${remote}: ${why}; the board needs sha256sum (5.0.3 and later) and a sound connection`,
  );
}
