import { spawn } from 'node:child_process';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentError } from '../../agent/core/agent-error.ts';
import { type ConfigFile, parseConfig } from '../../agent/kernel/config-text.ts';

interface Ended {
  readonly code: number;
  readonly output: string;
}

async function run(command: string, argv: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (cause) => {
      reject(
        new AgentError('TOOL_FAILED', `Cannot start "${command}": install make, gcc, flex and bison`, {
          cause,
        }),
      );
    });
    child.on('close', (code) => resolve({ code: code ?? -1, output }));
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ');
}

/**
 * Lets the kernel's own configuration system decide: merged layers through `make ARCH=arm64 olddefconfig` of a kernel
 * tree, built outside the tree. Needs make, a C compiler, flex and bison. Throws INPUT_INVALID for a folder that is no
 * kernel tree and TOOL_FAILED where make fails.
 */
export async function resolveWithTree(tree: string, merged: string): Promise<ConfigFile> {
  try {
    await access(path.join(tree, 'Kconfig'));
    await access(path.join(tree, 'scripts/kconfig'));
  } catch (error) {
    throw new AgentError(
      'INPUT_INVALID',
      `Cannot use "${tree}" as a kernel tree: it has no Kconfig and scripts/kconfig; name the top folder of a kernel source`,
      { cause: error },
    );
  }
  const build = await mkdtemp(path.join(tmpdir(), 'kconfig-'));
  try {
    const config = path.join(build, '.config');
    await writeFile(config, merged);
    const { code, output } = await run('make', ['-C', tree, `O=${build}`, 'ARCH=arm64', 'olddefconfig']);
    if (code !== 0) {
      throw new AgentError(
        'TOOL_FAILED',
        `Cannot run olddefconfig in "${tree}": make ended with ${code}: ${lastLines(output)}; install make, gcc, flex and bison, and use a clean tree`,
      );
    }
    return parseConfig(await readFile(config, 'utf8'), `olddefconfig of ${tree}`);
  } finally {
    await rm(build, { recursive: true, force: true });
  }
}
