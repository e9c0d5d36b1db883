import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, type TestContext, test } from 'node:test';
import { build } from 'esbuild';
import type { PartsDocument, UpdateDocument } from '../../agent/api/wire.ts';

const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((file) => existsSync(file));
const skip =
  busybox === undefined
    ? 'busybox is not installed (apt install busybox-static)'
    : process.getuid?.() === 0
      ? false
      : 'namespaces of our own need root';
const isBuilt = existsSync('dist/start.js') || spawnSync('node', ['build.mjs']).status === 0;
const scratch = await mkdtemp(path.join(tmpdir(), 'agent-update-'));
after(() => rm(scratch, { recursive: true, force: true }));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

type Ask = <T>(act: string, value?: string) => Promise<T>;

/** Loader and libraries of this machine's Node, as the dynamic linker itself lists them. */
function librariesOf(program: string): readonly string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}

async function startRig(t: TestContext): Promise<Ask> {
  const program = path.join(scratch, 'update-rig.mjs');
  await build({
    entryPoints: ['test/programs/update-rig.ts'],
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
  const places = [busybox as string, root, path.resolve('sysroot-overlay'), path.resolve('dist'), node];
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

test('an agent on a board is replaced by one that works, not by one that ends at once, and goes back', {
  skip,
}, async (t) => {
  assert.ok(isBuilt, 'run `npm run build`');
  const ask = await startRig(t);
  const ctl = async (line: string): Promise<Run> => ask<Run>('ctl', line);
  const change = async (line: string): Promise<UpdateDocument> => {
    const { code, stdout, stderr } = await ctl(`${line} --json`);
    assert.ok(code === 0 || code === 1, `${code} ${stderr} ${await ask<string>('said')}`);
    return JSON.parse(stdout) as UpdateDocument;
  };
  const up = await ctl('wait --timeout 100s');
  assert.equal(up.code, 0, `${up.stderr} ${await ask<string>('said')}`);

  await ask('make', '7.7.7');
  const good = await change('update agent --from /data/7.7.7.tar');
  assert.equal(good.ok, true, JSON.stringify(good));
  assert.equal(good.to.version, '7.7.7');
  assert.equal(await ask('ends'), 1, 'the agent ended once, to make room');

  await ask('make', '8.8.8 broken');
  const broken = await change('update agent --from /data/8.8.8.tar');
  assert.equal(broken.ok, false, JSON.stringify(broken));
  assert.equal(broken.outcome.reason, 'NeverConfirmed');
  assert.equal(broken.to.version, '7.7.7');
  assert.equal(
    await ask('ends'),
    4,
    'to make room, and twice by itself; the launcher waits where init would not',
  );
  const said = await ask<string>('said');
  assert.match(said, /broken on purpose/);
  assert.match(said, /8\.8\.8-\w{12} was started 2 times and did not confirm itself; starting 7\.7\.7-/);

  const back = await change('rollback agent');
  assert.equal(back.ok, true, JSON.stringify(back));
  assert.equal(back.to.slot, 'image');
  const { parts } = JSON.parse((await ctl('update --list --json')).stdout) as PartsDocument;
  const agent = parts.find(({ part }) => part === 'agent');
  assert.equal(agent?.former?.version, '7.7.7');
  const ledger = await ctl('ledger --json');
  for (const reason of ['Switched', 'Confirmed', 'NeverConfirmed'])
    assert.match(ledger.stdout, new RegExp(reason));
});
