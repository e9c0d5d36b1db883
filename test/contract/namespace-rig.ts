import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { build } from 'esbuild';

/** The machine's static busybox, where there is one. */
export const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));

/** Why a test with namespaces of its own cannot run here, or false. */
export const skip =
  busybox === undefined
    ? 'busybox is not installed (apt install busybox-static)'
    : process.getuid?.() === 0
      ? false
      : 'namespaces of our own need root';

/** Lets the rig do something, and brings its answer. */
export type Ask = <T>(act: string, value?: string) => Promise<T>;

/** What runs in namespaces of its own. */
export interface NamespaceRig {
  /** Name of a program in test/programs, without `.ts`: it answers lines of JSON, and says one of its own accord first. */
  readonly name: string;
  /** Directory that the built program is put into. */
  readonly scratch: string;
  readonly args: readonly string[];
}

/** Runs a program in mount and process namespaces of its own until the test is over. */
export async function startNamespaceRig(t: TestContext, { name, scratch, args }: NamespaceRig): Promise<Ask> {
  const program = path.join(scratch, `${name}.mjs`);
  await build({
    entryPoints: [`test/programs/${name}.ts`],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const argv = ['unshare', '-m', '-p', '-f', '--propagation', 'slave', process.execPath, program];
  const child: ChildProcess = spawn(busybox as string, [...argv, ...args], {
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
