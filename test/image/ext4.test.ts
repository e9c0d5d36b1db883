import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { directory, symbolicLink, text } from '../../scripts/image/tree.ts';
import { writeExt4 } from '../../scripts/image/write-ext4.ts';
import { fileSum } from '../../scripts/parts/file-sum.ts';
import { scratch } from '../parts/samples.ts';
import { everyPart, image, sampleBuild } from './sample-store.ts';

const tool = 'debugfs';
const skip = spawnSync(tool, ['-V']).status === 0 ? false : 'needs e2fsprogs';

/** What debugfs says of the image. */
function ask(file: string, question: string): string {
  return execFileSync(tool, ['-R', question, file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

test('an ext4 image holds the product with modes, owners and links, and two are the same byte for byte', {
  skip,
}, async (t) => {
  const build = await sampleBuild(t, everyPart);
  const sums: string[] = [];
  for (const name of ['one.img', 'two.img']) {
    const file = path.join(build.folder, name);
    const { exitCode, err } = await image(build, 'ext4', file, '--root', 'image');
    assert.equal(exitCode, 0, err);
    sums.push(await fileSum(file, 'sha256'));
  }
  assert.equal(sums[0], sums[1]);
  const file = path.join(build.folder, 'one.img');
  assert.match(ask(file, 'stat /system/bin/agentctl'), /Mode: +0755[\s\S]*User: +0 +Group: +2000/);
  assert.match(ask(file, 'stat /system/etc/init/oh_edge_agent.cfg'), /Mode: +0500/);
  assert.match(ask(file, 'stat /root'), /Type: directory +Mode: +0700/);
  const product = '/system/opt/oh-edge-agent';
  assert.match(ask(file, `stat ${product}/docker/iptables`), /Fast link dest: "xtables-legacy-multi"/);
  const agent = readFileSync(path.join(build.dist, 'agent.js'), 'utf8');
  assert.equal(ask(file, `cat ${product}/agent.js`), agent);
});

test('a system image gets the product added, keeps its own, and is itself left alone', {
  skip,
}, async (t) => {
  const build = await sampleBuild(t, everyPart);
  const base = path.join(build.folder, 'system.img');
  const tree = [
    directory('/system', 0o711),
    text('/system/bin/sh', 'a shell', 0o755),
    text('/system/bin/agentctl', 'an older one', 0o644),
    symbolicLink('/bin', '/system/bin'),
  ];
  await writeExt4(tree, base, { epoch: 1, base: undefined });
  const before = await fileSum(base, 'sha256');
  const file = path.join(build.folder, 'new.img');
  const { exitCode, err } = await image(build, 'ext4', file, '--base', base);
  assert.equal(exitCode, 0, err);
  assert.equal(await fileSum(base, 'sha256'), before);
  // The time of the last check in the superblock: the one of e2fsck's own clock would differ from run to run.
  assert.equal(readFileSync(file).readUInt32LE(1024 + 64), 1);
  assert.equal(ask(file, 'cat /system/bin/sh'), 'a shell');
  assert.match(ask(file, 'stat /system'), /Mode: +0711/);
  assert.equal(
    ask(file, 'cat /system/bin/agentctl'),
    readFileSync('sysroot-overlay/system/bin/agentctl', 'utf8'),
  );
  assert.match(ask(file, 'stat /system/opt/oh-edge-agent/docker/dockerd'), /Mode: +0755/);
});

test('what is no ext4 image is refused before anything is written', async (t) => {
  const folder = await scratch(t);
  const target = path.join(folder, 'new.img');
  const odd = path.join(folder, 'odd');
  const refused = async (bytes: Buffer): Promise<string> => {
    writeFileSync(odd, bytes);
    return writeExt4([], target, { epoch: 0, base: odd }).then(
      () => 'taken',
      (error: unknown) => String(error),
    );
  };
  const sparse = Buffer.alloc(2000);
  sparse.writeUInt32LE(0xed26ff3a);
  assert.match(await refused(sparse), /sparse form; convert it with simg2img/);
  assert.match(await refused(Buffer.from('short')), /is no ext4 image/);
  await assert.rejects(
    writeExt4([], target, { epoch: 0, base: path.join(folder, 'absent') }),
    /name a system/,
  );
});
