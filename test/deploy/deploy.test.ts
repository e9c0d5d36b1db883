import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { uninstall } from '../../scripts/deploy/uninstall.ts';
import {
  activeVersion,
  cfgPath,
  functionsOf,
  goodTrials,
  install,
  newBoard,
  product,
  pushed,
  sampleProduct,
  scripts,
  skip,
} from './deploy-board.ts';

test('a first deployment restarts the board, is verified there and ready, and leaves the root read-only', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const { state, said, previous } = await install(device, await sampleProduct(device, 'one'));
  assert.equal(state, 'ready', said.join('\n'));
  assert.equal(previous, null);
  assert.equal(await activeVersion(device), '// one');
  assert.ok((await device.asked()).includes('target boot'));
  assert.equal((await stat(path.join(device.root, cfgPath))).mode & 0o777, 0o500);
  assert.deepEqual((await readFile(path.join(device.root, 'mounts'), 'utf8')).trim().split('\n'), [
    'rw,remount',
    'ro,remount',
  ]);
  assert.match(said.join('\n'), /OpenHarmony-6\.0\.0\.49, kernel 6\.6\.22/);
  assert.deepEqual(await readdir(path.join(device.root, 'data/local/tmp')), []);
  const slots = await readdir(path.join(device.root, 'data/oh-edge-agent/slots'));
  assert.equal(slots.length, 1);
});

test('an upgrade needs no restart and keeps the slot before, and only that', { skip }, async (t) => {
  const device = await newBoard(t);
  await install(device, await sampleProduct(device, 'one'));
  const second = await install(device, await sampleProduct(device, 'two'));
  const third = await install(device, await sampleProduct(device, 'three'));
  assert.deepEqual([second.state, third.state], ['ready', 'ready']);
  assert.equal(await activeVersion(device), '// three');
  assert.equal((await device.asked()).filter((line) => line === 'target boot').length, 1);
  const slots = await readdir(path.join(device.root, 'data/oh-edge-agent/slots'));
  assert.deepEqual(slots.sort(), [second.slot, third.slot].sort());
});

test('a broken upgrade is rolled back, also when it brought another cfg', { skip }, async (t) => {
  const device = await newBoard(t);
  await install(device, await sampleProduct(device, 'good'));
  const plain = await install(device, await sampleProduct(device, 'bad', { isBroken: true }));
  assert.equal(plain.state, 'rolled-back');
  assert.equal(await activeVersion(device), '// good');
  const other = await install(
    device,
    await sampleProduct(device, 'worse', { isBroken: true, cfg: '{ "jobs": [] }' }),
  );
  assert.equal(other.state, 'rolled-back', other.reason);
  assert.equal(await activeVersion(device), '// good');
  assert.equal(await readFile(path.join(device.root, cfgPath), 'utf8'), '{}');
  assert.ok(existsSync(path.join(device.root, 'running')));
});

test('a first deployment that does not become ready says so, because there is nothing to go back to', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const { state, reason } = await install(device, await sampleProduct(device, 'bad', { isBroken: true }));
  assert.equal(state, 'not-ready');
  assert.match(reason, /see the agent ready/);
});

test('a board without room, of another machine, or with the product in its image is left alone', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  await writeFile(path.join(device.root, 'room'), '0\n');
  await appendFile(path.join(device.root, 'functions'), 'uname() { echo armv7l; }\n');
  await mkdir(path.join(device.root, product), { recursive: true });
  const made = await sampleProduct(device, 'one');
  await assert.rejects(install(device, made), /armv7l, want aarch64; .*part of the image/);
  await rm(path.join(device.root, product), { recursive: true });
  await writeFile(path.join(device.root, 'functions'), functionsOf(scripts));
  await assert.rejects(install(device, made), /\/data has 0 MB free/);
  assert.deepEqual(await readdir(path.join(device.root, 'data')), ['local']);
});

test('uninstalling takes everything off the root and keeps the data unless it is to be wiped', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  await assert.rejects(uninstall(device.board, false), /nothing was deployed here/);
  await install(device, await sampleProduct(device, 'one'));
  await mkdir(path.join(device.root, 'data/oh-edge-agent/docker'));
  await uninstall(device.board, false);
  for (const gone of [product, cfgPath, '/system/bin/agentctl'])
    assert.ok(!existsSync(path.join(device.root, gone)));
  assert.deepEqual(await readdir(path.join(device.root, 'data/oh-edge-agent')), ['docker']);
  assert.ok(!existsSync(path.join(device.root, 'running')));
});

test('a kernel that fails a trial is told before anything is installed, and may be taken all the same', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const made = await sampleProduct(device, 'one');
  const said = 'overlay failed mount: mounting overlay on m failed: No such device';
  await writeFile(path.join(device.root, 'trials'), `${goodTrials}${said}\n`);
  await assert.rejects(install(device, made), /its kernel fails 1 probes; .*--anyway/);
  assert.deepEqual(await readdir(path.join(device.root, 'data')), ['local']);
  assert.ok(!existsSync(path.join(device.root, 'mounts')));
  const outcome = await install(device, made, { isAnyway: true });
  assert.equal(outcome.state, 'ready');
  assert.match(outcome.said.join('\n'), /the kernel: The kernel has overlayfs: tried: .*CONFIG_OVERLAY_FS=y/);
});

test('a board of 3.1 gets the cfg of 3.1, in the slot and in the root', { skip }, async (t) => {
  const device = await newBoard(t);
  await writeFile(path.join(device.root, 'release'), 'OpenHarmony-3.1.13.5\n');
  const cfg = '{"services":[{"name":"x","path":["/x"],"sandbox":0,"setuid":true}]}';
  const { state } = await install(device, await sampleProduct(device, 'one', { cfg }));
  assert.equal(state, 'ready');
  const found: unknown = JSON.parse(await readFile(path.join(device.root, cfgPath), 'utf8'));
  assert.deepEqual(found, { services: [{ name: 'x', path: ['/x'] }] });
});

test('a board that runs no program from /data is told to take the product into its image', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const made = await sampleProduct(device, 'one');
  await writeFile(
    path.join(device.root, 'pushed'),
    pushed.replace('case $1 in', '[ "$1" != true ] || { echo Permission denied; exit 126; }\ncase $1 in'),
  );
  await assert.rejects(install(device, made), /Permission denied; .*npm run image -- component/);
});
