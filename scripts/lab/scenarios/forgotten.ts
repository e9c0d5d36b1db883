import { homeDir, productDir } from '../../../agent/core/constants.ts';
import type { Board } from '../board.ts';
import { inside } from './agent.ts';
import { expectEqual } from './expect.ts';

/** Looks through /data from outside, through edgecore's places from inside, and through all command lines. */
export async function hasForgotten(board: Board, token: string): Promise<void> {
  // A pattern from a file, or grep would find it in its own command line.
  await board.push(`${token.slice(70, 130)}\n`, '/dev/pattern', 0o600);
  const busybox = `${productDir}/bin/busybox`;
  const grep = `${busybox} grep -lF -f /dev/pattern`;
  // Only files: the logs of units come through named pipes, which would hold grep for ever.
  const look = (...places: readonly string[]): string =>
    `${busybox} find ${places.join(' ')} -type f -exec ${grep} {} + 2>/dev/null`;
  const timeoutMs = 120_000;
  const outside = await board.exec(look('/data/local', homeDir), { timeoutMs });
  const nested = await board.exec(inside(look('/etc/kubeedge', '/var/lib/kubeedge', '/run')), { timeoutMs });
  const lines = await board.exec(`cat /proc/[0-9]*/cmdline | ${busybox} grep -cF -f /dev/pattern`);
  await board.run('rm /dev/pattern');
  expectEqual('files with the token', (outside.stdout + nested.stdout).trim(), '');
  expectEqual('command lines with the token', lines.stdout.trim(), '0');
}
