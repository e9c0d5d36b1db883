import { open } from 'node:fs/promises';
import type { ProgramText } from '../core/program-text.ts';

/** Bytes read at once; a board has little memory and edgecore is 100 MB long. */
const chunkBytes = 1_048_576;
/** Bytes carried over from one chunk to the next, so that a match on the border is found. */
const overlapBytes = 512;

/** Reads files in pieces. */
export class HostProgramText implements ProgramText {
  async find(path: string, pattern: RegExp, signal: AbortSignal): Promise<string | undefined> {
    const handle = await open(path, 'r').catch(() => undefined);
    if (handle === undefined) return undefined;
    try {
      const buffer = Buffer.allocUnsafe(overlapBytes + chunkBytes);
      let kept = 0;
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await handle.read(buffer, kept, chunkBytes, null);
        if (bytesRead === 0) return undefined;
        const text = buffer.toString('latin1', 0, kept + bytesRead);
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) return found.slice(0, 256);
        const end = kept + bytesRead;
        kept = Math.min(overlapBytes, end);
        buffer.copy(buffer, 0, end - kept, end);
      }
    } finally {
      await handle.close();
    }
  }
}
