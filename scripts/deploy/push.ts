import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError, messageOf } from '../../agent/core/agent-error.ts';
import { quote, type RemoteBoard } from './remote-board.ts';

/** Bytes that are sent at once: what a broken connection costs at most. */
const usualPieceBytes = 16 * 1024 * 1024;

/** What is sent and where it goes. */
export interface PushOrder {
  readonly file: string;
  /** Folder on the board for the pieces; what lies there from an earlier run is used again. */
  readonly folder: string;
  readonly pieceBytes?: number;
  /** The pushed busybox on the board. */
  readonly tool: string;
  readonly say: (text: string) => void;
}

/**
 * Sends a file in pieces and verifies each on the board, so that a broken push goes on where it stopped. Returns the
 * pieces' paths on the board in order.
 */
export async function push(board: RemoteBoard, order: PushOrder): Promise<readonly string[]> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  const folder = quote(order.folder);
  const list = `mkdir -p ${folder} && { ${order.tool} sha256sum ${folder}/* 2>/dev/null; true; }`;
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
      const isThere = async (): Promise<boolean> => {
        const { code, out } = await board.shell(`${order.tool} sha256sum ${quote(remote)} 2>/dev/null`);
        return code === 0 && out.startsWith(sum);
      };
      await sendChecked(board, { local, remote, isThere });
      order.say(`sent piece ${index + 1} of ${count}`);
    }
    return sent;
  } finally {
    await source.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A file on its way, and how to find out whether it arrived as it was. */
interface Parcel {
  readonly local: string;
  readonly remote: string;
  readonly isThere: () => Promise<boolean>;
}

/** Sends a file until it has arrived whole. A connection may break or bend it; more than twice means that something is wrong. */
export async function sendChecked(board: RemoteBoard, { local, remote, isThere }: Parcel): Promise<void> {
  const bent = 'it does not arrive as it was sent';
  let why = bent;
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    why = await board.send(local, remote).then(() => bent, messageOf);
    if (await isThere()) return;
  }
  throw new AgentError('TOOL_FAILED', `Cannot send a file to ${remote}: ${why}; check the connection`);
}
