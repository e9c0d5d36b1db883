import { createReadStream } from 'node:fs';
import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';

/** Most bytes that are read: devices and logs have no end, and a board has little memory. */
const maxBytes = 4_194_304;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist; name a file that is there',
  EACCES: 'this user may not read it; run agentctl as root',
  EISDIR: 'it is a directory; name a file',
};

/** Text of a file or a pipe, `-` for the standard input; FILE_FAILED where it cannot be read or has no end. */
export async function readTextFile(path: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(path === '-' ? '/dev/stdin' : path) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes; name a text file`);
      chunks.push(chunk);
    }
  } catch (error) {
    const why = reasons[errnoOf(error) ?? ''] ?? messageOf(error);
    throw new AgentError('FILE_FAILED', `Cannot read "${path}": ${why}`, { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}
