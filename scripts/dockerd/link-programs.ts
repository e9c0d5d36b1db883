import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';

const needed = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc', 'docker'];

/** Links to the programs of the given directory, or of this machine's path, in one new directory. */
export function linkPrograms(given: string | undefined, directory: string): void {
  const places =
    given === undefined ? ['/usr/sbin', '/usr/bin', '/sbin', '/usr/local/bin'] : [path.resolve(given)];
  mkdirSync(directory);
  for (const name of needed) {
    const found = places.map((place) => `${place}/${name}`).find((file) => existsSync(file));
    if (found === undefined)
      throw new AgentError('USAGE', `Cannot try dockerd: there is no ${name} in ${places.join(', ')}`);
    symlinkSync(found, `${directory}/${name}`);
  }
}
