import { AgentError } from '../../agent/core/agent-error.ts';

const digits = { sha256: 64, sha512: 128 } as const;

/**
 * Finds a file's sum in what a maker publishes: a bare sum, or lines `SUM  NAME` as sha256sum writes them. Throws where
 * the text names no sum for this file.
 */
export function findSum(text: string, fileName: string, algorithm: 'sha256' | 'sha512'): string {
  const pattern = new RegExp(`^([0-9a-fA-F]{${digits[algorithm]}})(?:\\s+\\*?(\\S+))?\\s*$`);
  const rows = text
    .split('\n')
    .map((line) => pattern.exec(line.trim()))
    .filter((match) => match !== null);
  const named = rows.find(([, , name]) => name !== undefined && name.split('/').at(-1) === fileName);
  const bare = rows.length === 1 && rows[0]?.[2] === undefined ? rows[0] : undefined;
  const sum = (named ?? bare)?.[1];
  if (sum !== undefined) return sum.toLowerCase();
  throw new AgentError(
    'INPUT_INVALID',
    `Cannot find the ${algorithm} of "${fileName}" in what its maker publishes; look at it and add the file by hand`,
  );
}
