import { AgentError, errnoOf, messageOf } from '../core/agent-error.ts';
import { readGiven } from './given-file.ts';

/** Most bytes that are read: devices and logs have no end, and a board has little memory. */
const maxBytes = 4_194_304;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist; name a file that is there',
  EACCES: 'this user may not read it; run agentctl as root',
};

/** Text of a file, `-` for the standard input; FILE_FAILED where it cannot be read or has no end. */
export async function readTextFile(path: string): Promise<string> {
  try {
    return (await readGiven(path, maxBytes)).toString('utf8');
  } catch (error) {
    const why = reasons[errnoOf(error) ?? ''] ?? `${messageOf(error)}; name a text file`;
    throw new AgentError('FILE_FAILED', `Cannot read "${path}": ${why}`, { cause: error });
  }
}
