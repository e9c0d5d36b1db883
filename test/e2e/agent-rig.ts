import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, type TestContext } from 'node:test';
import { type Ask, busybox, startNamespaceRig } from '../contract/namespace-rig.ts';

export const isBuilt = existsSync('dist/start.js') || spawnSync('node', ['build.mjs']).status === 0;
const scratch = await mkdtemp(path.join(tmpdir(), 'agent-rig-'));
after(() => rm(scratch, { recursive: true, force: true }));

/** How a command ended. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Loader and libraries of this machine's Node, as the dynamic linker itself lists them. */
function librariesOf(program: string): readonly string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}

/** A board whose holder ends an agent that says nothing for three times these seconds. */
export async function startRig(t: TestContext, silenceS: number): Promise<Ask> {
  const root = path.join(scratch, 'root');
  await mkdir(root);
  const node = await realpath(process.execPath);
  const folders = [path.resolve('sysroot-overlay'), path.resolve('dist')];
  const args = [busybox as string, root, ...folders, node, `${silenceS}`, ...librariesOf(node)];
  return startNamespaceRig(t, { name: 'agent-rig', scratch, args });
}
