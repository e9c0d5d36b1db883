import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync } from 'node:fs';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isAgentError } from '../../agent/core/agent-error.ts';
import { HostPartDisk } from '../../agent/host/part-disk.ts';
import { HostPartIntake } from '../../agent/host/part-intake.ts';
import { type PartKind, partKinds } from '../../agent/update/part-table.ts';
import { type SampleEntry, scratch, sha, staticProgram, tarGz } from '../parts/samples.ts';

const intake = new HostPartIntake();
const docker = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'].map(
  (name): SampleEntry => ({ name: `docker/${name}`, body: staticProgram(name) }),
);

/** Takes a file as a part would; nothing may ever appear beside the folder. */
async function take(
  t: TestContext,
  bytes: Uint8Array,
  more: { readonly kind?: PartKind; readonly maxBytes?: number } = {},
) {
  const { kind = partKinds.dockerd, maxBytes = 10_000_000 } = more;
  const outer = await scratch(t);
  const folder = path.join(outer, 'draft');
  await mkdir(folder);
  const file = path.join(outer, 'handed-in');
  await writeFile(file, bytes);
  const { wanted, mayHoldLinks, main } = kind;
  const order = { file, folder, wanted, mayHoldLinks, maxBytes, single: { to: main, mode: 0o755 } };
  const taken = await intake.take(order, new AbortController().signal).catch((error: unknown) => {
    assert.ok(isAgentError(error, 'PART_REFUSED'), String(error));
    return error.message;
  });
  assert.deepEqual((await readdir(outer)).sort(), ['draft', 'handed-in']);
  return { taken, folder, names: (await readdir(folder, { recursive: true })).sort() };
}

async function refusal(
  t: TestContext,
  bytes: Uint8Array,
  more?: Parameters<typeof take>[2],
): Promise<string> {
  const { taken } = await take(t, bytes, more);
  return typeof taken === 'string' ? taken : 'taken';
}

test("Docker's archive becomes the programs of the part, with their modes, whatever the umask", async (t) => {
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  const more: SampleEntry[] = [
    { name: 'docker/', type: 'directory' },
    { name: 'docker/README', body: Buffer.from('text') },
  ];
  const archive = await tarGz([...more, ...docker]);
  const { taken, folder, names } = await take(t, archive);
  assert.ok(typeof taken !== 'string', JSON.stringify(taken));
  assert.equal(taken.kind, 'archive');
  assert.equal(taken.sha256, sha(archive));
  assert.deepEqual(names, ['containerd', 'containerd-shim-runc-v2', 'dockerd', 'runc']);
  for (const name of names) assert.equal((await stat(path.join(folder, name))).mode & 0o7777, 0o755, name);
});

test('a plain tar and a single program are taken, too', async (t) => {
  const { gunzipSync } = await import('node:zlib');
  const tar = await take(t, gunzipSync(await tarGz(docker)));
  assert.equal(tar.names.length, 4);
  const program = staticProgram('x');
  const single = await take(t, program);
  assert.ok(typeof single.taken !== 'string');
  assert.equal(single.taken.kind, 'single');
  assert.equal(single.taken.sha256, sha(program));
  assert.deepEqual(single.names, ['dockerd']);
});

test("KubeEdge's archive gives edgecore and its version, the whole product gives the agent with its runtime", async (t) => {
  const kubeedge = await tarGz([
    { name: 'kubeedge-v1.22.1-linux-arm64/version', body: Buffer.from('v1.22.1') },
    { name: 'kubeedge-v1.22.1-linux-arm64/edge/edgecore', body: staticProgram() },
    { name: 'kubeedge-v1.22.1-linux-arm64/cloud/cloudcore/cloudcore', body: staticProgram('cloud') },
  ]);
  assert.deepEqual((await take(t, kubeedge, { kind: partKinds.edgecore })).names, ['edgecore', 'version']);
  const root = './system/opt/oh-edge-agent';
  const product = await tarGz([
    { name: `${root}/agent.js`, body: Buffer.from('1') },
    { name: `${root}/agentctl.js`, body: Buffer.from('2') },
    { name: `${root}/runtime/bin/node`, body: staticProgram() },
    { name: `${root}/runtime/lib/libc.so.6`, body: Buffer.from('3') },
    { name: `${root}/docker/dockerd`, body: staticProgram() },
    { name: `${root}/docker/iptables-save`, type: 'symlink', linkname: 'iptables' },
  ]);
  const { names } = await take(t, product, { kind: partKinds.agent });
  assert.deepEqual(
    names.filter((name) => name.includes('.') || name.endsWith('node')),
    ['agent.js', 'agentctl.js', 'runtime/bin/node', 'runtime/lib/libc.so.6'],
  );
});

const evil = Buffer.from('evil');
const hostile: Readonly<Record<string, readonly [SampleEntry, RegExp]>> = {
  'a path that climbs out': [{ name: '../dockerd', body: evil }, /climbs out/],
  'an absolute path': [{ name: '/etc/dockerd', body: evil }, /absolute/],
  'a symbolic link': [{ name: 'docker', type: 'symlink', linkname: '/etc' }, /link/],
  'a link instead of a program': [{ name: 'docker/ctr', type: 'symlink', linkname: '/bin/sh' }, /link/],
  'a hard link': [{ name: 'docker/ctr', type: 'link', linkname: '/etc/shadow' }, /link/],
  'a disk': [{ name: 'docker/ctr', type: 'block-device' }, /block-device/],
  'a device': [{ name: 'docker/ctr', type: 'character-device' }, /character-device/],
  'a pipe': [{ name: 'docker/ctr', type: 'fifo' }, /fifo/],
  'a program twice': [{ name: 'again/dockerd', body: evil }, /"dockerd" twice/],
};
for (const [what, [entry, says]] of Object.entries(hostile)) {
  test(`an archive with ${what} is refused`, async (t) => {
    assert.match(await refusal(t, await tarGz([...docker, entry])), says);
  });
}

test('an archive that grows beyond the room it may take is refused', async (t) => {
  const bomb = await tarGz([{ name: 'docker/dockerd', body: Buffer.alloc(30_000_000) }]);
  assert.ok(bomb.length < 100_000);
  assert.match(await refusal(t, bomb, { maxBytes: 1_000_000 }), /more than 1000000 bytes/);
  assert.match(
    await refusal(t, staticProgram('x'.repeat(2_000)), { maxBytes: 1_000 }),
    /more than 1000 bytes/,
  );
});

test('an archive of endless entries is refused', async (t) => {
  const entries = Array.from({ length: 5_100 }, (_unused, index): SampleEntry => ({ name: `n${index}` }));
  assert.match(await refusal(t, await tarGz(entries)), /more than 5000 entries/);
});

test('a file that was cut short anywhere is refused', async (t) => {
  const noise = Buffer.from(Array.from({ length: 20_000 }, (_unused, index) => (index * 7919) % 251));
  const whole = await tarGz([{ name: 'docker/dockerd', body: noise }, ...docker.slice(1)]);
  for (const part of [0.1, 0.5, 0.9, 0.99]) {
    const message = await refusal(t, whole.subarray(0, Math.floor(whole.length * part)));
    assert.match(message, /take another copy/, String(part));
  }
});

test('what is packed in another way is named, with what to do', async (t) => {
  const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]);
  assert.match(await refusal(t, xz), /packed with xz; unpack it and pack it as \.tar\.gz/);
  assert.match(await refusal(t, Buffer.from('PK\x03\x04....')), /packed with zip/);
  assert.match(await refusal(t, new Uint8Array()), /it is empty; take another copy/);
  assert.match(await refusal(t, gzipSync('no archive'.repeat(200))), /Cannot take/);
});

test('what is no ordinary file is refused, and a pipe holds nobody up', async (t) => {
  const folder = await scratch(t);
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await symlink('/dev/zero', path.join(folder, 'zero'));
  for (const name of ['pipe', 'zero', '']) {
    await assert.rejects(intake.look(path.join(folder, name)), /PART_REFUSED|no ordinary file/, name);
  }
  await assert.rejects(
    intake.look(path.join(folder, 'none')),
    /does not exist where the agent looks; copy it below \/data/,
  );
});

test('a disk that does not take the files is said with the fix, and the file is not blamed', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('a disk of its own needs root');
  const folder = await scratch(t);
  const file = path.join(folder, 'program');
  await writeFile(file, Buffer.alloc(200_000, 1));
  const disk = path.join(folder, 'disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
  const order = {
    file,
    folder: disk,
    wanted: () => undefined,
    single: { to: 'dockerd', mode: 0o755 },
    mayHoldLinks: false,
    maxBytes: 1_000_000,
  };
  const { signal } = new AbortController();
  try {
    await assert.rejects(intake.take(order, signal), /ENOSPC; the disk is full, free some space$/);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const again = { ...order, single: { to: 'other', mode: 0o755 } };
    await assert.rejects(intake.take(again, signal), /EROFS; the file system is read-only, choose a place/);
    await assert.rejects(
      new HostPartDisk().makeFolder(`${disk}/parts`),
      /EROFS; the file system is read-only/,
    );
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('an archive says itself how much room it needs', async (t) => {
  const folder = await scratch(t);
  const file = path.join(folder, 'archive');
  await writeFile(file, gzipSync(Buffer.alloc(1_000_000)));
  const { bytes, claimedBytes } = await intake.look(file);
  assert.ok(bytes < 5_000);
  assert.equal(claimedBytes, 1_000_000);
});

test('an ELF file is read where it lies, and what is none is told', async (t) => {
  const folder = await scratch(t);
  const file = path.join(folder, 'program');
  await writeFile(file, staticProgram('tail'));
  const elf = await intake.readElf(file);
  assert.ok(!('problem' in elf));
  assert.equal(elf.machine, 'aarch64');
  await writeFile(file, staticProgram().subarray(0, 40));
  const cut = await intake.readElf(file);
  assert.match('problem' in cut ? cut.problem : 'read', /Truncated/);
  await writeFile(file, '');
  assert.match(JSON.stringify(await intake.readElf(file)), /Not an ELF file/);
});

test('a script that is no whole JavaScript is told before anybody runs it', async (t) => {
  const folder = await scratch(t);
  const file = path.join(folder, 'agent.js');
  const whole = '(function (exports, require) { globalThis.ran = true; })(exports, require);';
  await writeFile(file, whole);
  assert.equal(await intake.scriptProblem(file), undefined);
  assert.equal('ran' in globalThis, false);
  await writeFile(file, whole.slice(0, 60));
  assert.notEqual(await intake.scriptProblem(file), undefined);
});

test('a program on a file system without programs may not run', async (t) => {
  const folder = await scratch(t);
  if (process.getuid?.() !== 0) return t.skip('mounting needs root');
  const mounted = path.join(folder, 'mounted');
  await mkdir(mounted);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', mounted], { stdio: 'pipe' });
  } catch {
    return t.skip('this machine mounts nothing');
  }
  try {
    const [here, there] = [path.join(folder, 'true'), path.join(mounted, 'true')];
    for (const file of [here, there]) copyFileSync('/bin/true', file);
    assert.ok(existsSync(there));
    assert.equal(await intake.mayRun(here), true);
    assert.equal(await intake.mayRun(there), false);
  } finally {
    execFileSync('umount', [mounted]);
  }
});
