import { AgentError } from './agent-error.ts';

/**
 * The name of an archive entry in plain form, without a leading `./`. Refuses what could lead out of the folder that
 * the archive is unpacked into, even where the entry itself would not be written.
 */
export function safeName(name: string): string {
  const problem = unsafe(name);
  if (problem === null) return name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot take an archive with the entry ${JSON.stringify(name.slice(0, 200))}: ${problem}`,
  );
}

function unsafe(name: string): string | null {
  if (name === '') return 'it has no name';
  if (name.includes('\0')) return 'its name holds a zero byte';
  if (name.includes('\\')) return 'its name holds a backslash';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'its path is absolute';
  if (name.split('/').includes('..')) return 'its path climbs out';
  return null;
}
