import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type DeployOutcome } from '../../scripts/deploy/deploy.ts';
import { RemoteBoard } from '../../scripts/deploy/remote-board.ts';
import { remoteTools } from '../../scripts/deploy/remote-tools.ts';
import { uninstall } from '../../scripts/deploy/uninstall.ts';
import { install, newBoard, product, sampleProduct, skip } from './deploy-board.ts';

test('refused and bent pieces are sent again', { skip }, async (t) => {
  const device = await newBoard(t);
  await device.faults({ sendRefused: 1, sendBent: 1 });
  const { state, said } = await install(device, await sampleProduct(device, 'one'), { pieceBytes: 300 });
  assert.equal(state, 'ready', said.join('\n'));
});

test('a push that was broken off goes on with the pieces that arrived', { skip }, async (t) => {
  const device = await newBoard(t);
  const made = await sampleProduct(device, 'one');
  await install(device, made, { pieceBytes: 100 });
  const whole = (await device.asked()).filter((line) => line.startsWith('file send')).length;
  assert.ok(whole >= 3, `${whole} pieces`);
  const fresh = await newBoard(t);
  const board = new RemoteBoard({ ...fresh.hdc, target: 'STANDIN' });
  const broken = board.send.bind(board);
  let sends = 0;
  board.send = async (local, remote): Promise<void> => {
    sends += 1;
    // From here on the cable is out.
    if (sends > 3) await fresh.faults({ shellLost: 1, sendRefused: 100 });
    return broken(local, remote);
  };
  await assert.rejects(
    install({ board }, made, { pieceBytes: 100 }),
    /Cannot run a command on the board: no answer came/,
  );
  await fresh.faults({});
  assert.equal((await install(fresh, made, { pieceBytes: 100 })).state, 'ready');
  const again = (await fresh.asked()).filter((line) => line.startsWith('file send')).length;
  assert.ok(again <= whole + 2, `${again} sends for ${whole} pieces`);
});

test('the status of a command is known although hdc tells none, and a lost answer is no success', {
  skip,
}, async (t) => {
  const { board, faults, root } = await newBoard(t);
  assert.equal((await board.shell('exit_with() { return 3; }; exit_with')).code, 3);
  // Quotation marks at either end are what hdcd takes off.
  assert.deepEqual(await board.shell('echo "two  words"'), { code: 0, out: 'two  words\n' });
  await faults({ shellLost: 1 });
  await assert.rejects(board.shell('true'), /no answer came.*need connect-key/);
  assert.equal(await board.find(), 'STANDIN');
  await writeFile(path.join(root, 'unplugged'), '');
  await assert.rejects(board.find(), /hdc does not list STANDIN/);
});

test('the same goes over adb, whose exit status tells and whose boards may be addresses', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const command = ['sh', path.resolve('test/standins/hdc/adb.sh'), device.root];
  const place = { tool: remoteTools.adb, command };
  assert.equal(await new RemoteBoard({ ...place, target: undefined }).find(), 'STANDIN');
  const target = '192.168.1.20:5555';
  const board = new RemoteBoard({ ...place, target });
  assert.equal(await board.find(), target);
  const { state } = await install({ board }, await sampleProduct(device, 'one'));
  assert.equal(state, 'ready');
  assert.equal((await board.shell('exit_with() { return 3; }; exit_with')).code, 3);
  await assert.rejects(new RemoteBoard({ ...place, target: 'GONE' }).find(), /adb does not list GONE/);
  await uninstall(board, true);
  assert.deepEqual(await readdir(path.join(device.root, 'data')), ['local']);
});

test('an upgrade sends what changed, and the rest is one file with two names', { skip }, async (t) => {
  const device = await newBoard(t);
  const first = await install(device, await sampleProduct(device, 'one'));
  const second = await install(device, await sampleProduct(device, 'two'));
  assert.equal(second.state, 'ready', second.said.join('\n'));
  assert.match(second.said.join('\n'), /3 files are on the board already/);
  const inode = async (slot: string): Promise<number> =>
    (await stat(path.join(device.root, 'data/oh-edge-agent/slots', slot, product, 'bin/busybox'))).ino;
  assert.equal(await inode(second.slot), await inode(first.slot));
});

test('a worn slot is no source: a changed file in it is found, a broken manifest shares nothing', {
  skip,
}, async (t) => {
  const device = await newBoard(t);
  const worn = async ({ slot }: DeployOutcome, name: string): Promise<void> =>
    writeFile(path.join(device.root, 'data/oh-edge-agent/slots', slot, product, name), 'worn');
  await worn(await install(device, await sampleProduct(device, 'one')), 'bin/busybox');
  const second = await install(device, await sampleProduct(device, 'two'));
  assert.equal(second.state, 'ready', second.said.join('\n'));
  assert.match(second.said.join('\n'), /bin\/busybox differ on the board; .*sending everything/);
  await worn(second, 'manifest.json');
  const third = await install(device, await sampleProduct(device, 'three'));
  assert.equal(third.state, 'ready', third.said.join('\n'));
  assert.ok(!third.said.join('\n').includes('already'));
});
