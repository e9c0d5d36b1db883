import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Node 22 from npm: the release line that the product ships to boards, for this architecture where there is a package for it. */
const fromNpm = path.resolve(`node_modules/node-linux-${process.arch}/bin/node`);

/** What the agent and every reference written for Node run on unless another is named; the running Node where that one does not run. */
export function defaultNode(): string {
  const { status } = spawnSync(fromNpm, ['--version'], { stdio: 'ignore' });
  return status === 0 ? fromNpm : process.execPath;
}
