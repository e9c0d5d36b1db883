import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { build } from 'esbuild';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
export const skip =
  busybox === undefined
    ? 'busybox is not installed (apt install busybox-static)'
    : process.getuid?.() === 0
      ? false
      : 'namespaces of our own need root';
export const isBuilt = existsSync('dist/start.js') || spawnSync('node', ['build.mjs']).status === 0;
const scratch = await mkdtemp(path.join(tmpdir(), 'agent-rig-'));
after(() => rm(scratch, { recursive: true, force: true }));

/** How a command ended. */
export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lets the rig do something, and brings its answer. */
export type Ask = <T>(act: string, value?: string) => Promise<T>;

/** Loader and libraries of this machine's Node, as the dynamic linker itself lists them. */
function librariesOf(program: string): readonly string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}

/** A board whose holder ends an agent that says nothing for three times these seconds. */
export async function startRig(t: TestContext, silenceS: number): Promise<Ask> {
  const program = path.join(scratch, 'agent-rig.mjs');
  await build({
    entryPoints: ['test/programs/agent-rig.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const root = path.join(scratch, 'root');
  await mkdir(root);
  const node = await realpath(process.execPath);
  const argv = ['unshare', '-m', '-p', '-f', '--propagation', 'slave', process.execPath, program];
  const places = [
    busybox as string,
    root,
    path.resolve('sysroot-overlay'),
    path.resolve('dist'),
    node,
    `${silenceS}`,
  ];
  const child: ChildProcess = spawn(busybox as string, [...argv, ...places, ...librariesOf(node)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  t.after(async () => {
    child.stdin?.end();
    await ended;
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const next = async <T>(): Promise<T> => JSON.parse((await lines.next()).value as string) as T;
  await next();
  return (act, value) => {
    child.stdin?.write(`${JSON.stringify({ act, value })}\n`);
    return next();
  };
}
