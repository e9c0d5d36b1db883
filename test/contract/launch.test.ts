import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { build } from 'esbuild';

const launcher = path.resolve('sysroot-overlay/system/opt/oh-edge-agent/launch.sh');
const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
/** lksh is mksh, OpenHarmony's shell, in a static build; busybox has another one. */
const shells = ['/bin/lksh', busybox].filter((file) => file !== undefined && existsSync(file));
const skip =
  busybox === undefined
    ? 'busybox is not installed (apt install busybox-static)'
    : process.getuid?.() === 0
      ? false
      : 'namespaces of our own need root';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'launch-'));
const program = path.join(scratch, 'launch-rig.mjs');
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Launched {
  readonly pid: number;
  readonly namespace: string;
  readonly openFiles: string;
  readonly script: string;
}

type Ask = <T>(act: string, value?: string) => Promise<T>;

async function startRig(t: TestContext, shell: string): Promise<Ask> {
  const entryPoints = ['test/programs/launch-rig.ts'];
  await build({
    entryPoints,
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  const directory = mkdtempSync(path.join(scratch, 'root-'));
  const argv = ['unshare', '-m', '-p', '-f', '--propagation', 'slave', process.execPath, program, 'stock'];
  const child: ChildProcess = spawn(
    busybox as string,
    [...argv, busybox as string, directory, launcher, shell],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
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

for (const shell of shells as string[]) {
  test(`the launcher makes a namespace, and the next agent joins it (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    const first = await ask<Launched>('launch');
    assert.notEqual(first.namespace, readlinkSync('/proc/self/ns/mnt'));
    assert.equal(first.script, '/system/opt/oh-edge-agent/start.js');
    assert.match(await ask<string>('said'), /making a private mount namespace/);
    await ask('kill');
    const second = await ask<Launched>('launch');
    assert.equal(
      second.namespace,
      first.namespace,
      'units of the first agent and the second agent see the same mounts',
    );
    assert.match(await ask<string>('said'), /joining the mount namespace held by \d+/);
  });

  test(`a holder that is gone, or another process with its number, is not joined (${path.basename(shell)})`, {
    skip,
  }, async (t) => {
    const ask = await startRig(t, shell);
    const first = await ask<Launched>('launch');
    const [boot, pid, start] = await ask<string[]>('record');
    await ask('kill');
    await ask('forge', `${boot} ${pid} ${Number(start) + 1}\n`);
    const second = await ask<Launched>('launch');
    assert.notEqual(second.namespace, first.namespace);
    await ask('kill');
    await ask('release');
    // Numbers of namespaces are used again, so from here the launcher's own words count.
    await ask('launch');
    await ask('kill');
    const [, pidNow, startNow] = await ask<string[]>('record');
    await ask('forge', `00000000-0000-0000-0000-000000000000 ${pidNow} ${startNow}\n`);
    await ask('launch');
    const said = await ask<string>('said');
    assert.equal(said.match(/making a private mount namespace/g)?.length, 4);
    assert.doesNotMatch(said, /joining/);
  });
}
