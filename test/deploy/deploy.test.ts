import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import {
  appendFile,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DeployOutcome, deploy } from '../../scripts/deploy/deploy.ts';
import { RemoteBoard } from '../../scripts/deploy/remote-board.ts';
import { remoteTools } from '../../scripts/deploy/remote-tools.ts';
import { uninstall } from '../../scripts/deploy/uninstall.ts';
import { contentManifest } from '../../scripts/image/content-manifest.ts';
import { directory, file, text } from '../../scripts/image/tree.ts';
import { scratch } from '../parts/samples.ts';

const busybox = '/usr/bin/busybox';
const skip =
  process.getuid?.() !== 0
    ? 'needs root for chroot'
    : !existsSync(busybox) && 'needs /usr/bin/busybox (Debian package busybox-static)';
const product = '/system/opt/oh-edge-agent';
const cfgPath = '/system/etc/init/oh_edge_agent.cfg';

const tools = 'sh id sed cut tail readlink grep mkdir cat find mv cp chmod ln rm sync echo'.split(' ');
const scripts: Readonly<Record<string, string>> = {
  uname: '[ "$1" = -m ] && echo aarch64 || echo 6.6.22',
  param: 'cat /release',
  df: 'echo Filesystem; echo "/dev/data 1 1 $(cat /room) 1% /data"',
  mount: 'echo "$2" >>/mounts',
  begetctl:
    'case $1 in stop_service) rm -f /running ;; start_service) [ -e /known ] && : >/running ;; esac; return 0',
};

function functionsOf(bodies: Readonly<Record<string, string>>): string {
  return Object.entries(bodies)
    .map(([name, body]) => `${name}() { ${body}; }\n`)
    .join('');
}

/** The pushed program: busybox, but for what a folder cannot do; trials of the kernel come out as the board says. */
const pushed = `#!/system/bin/busybox sh
case \${0##*/} in busybox*) ;; *) echo applet not found; exit 127 ;; esac
case $1 in
unshare) cat /trials ;;
pgrep) [ -e /running ] ;;
*) exec /system/bin/busybox "$@" ;;
esac
`;
const goodTrials =
  'overlay ok\noverlay-data ok\nmqueue ok\nveth ok\nbridge ok\nnat ok\naddrtype ok\nconntrack ok\n';

/** A board of OpenHarmony's shape in a folder, behind the stand-in for hdc. */
async function newBoard(t: TestContext) {
  const root = await scratch(t);
  for (const name of ['system/bin', 'system/etc/init', 'data', 'dev', 'proc/sys/kernel/random'])
    await mkdir(path.join(root, name), { recursive: true });
  await cp(busybox, path.join(root, 'system/bin/busybox'));
  for (const name of tools) await symlink('busybox', path.join(root, 'system/bin', name));
  // Functions, because this busybox prefers what is built in to programs in PATH.
  await writeFile(path.join(root, 'functions'), functionsOf(scripts));
  await writeFile(path.join(root, 'release'), 'OpenHarmony-6.0.0.49\n');
  await writeFile(path.join(root, 'trials'), goodTrials);
  await writeFile(path.join(root, 'pushed'), pushed);
  await writeFile(path.join(root, 'proc/mounts'), '/dev/data /data ext4 rw 0 0\n');
  await writeFile(path.join(root, 'proc/cgroups'), 'devices\t1\t1\t1\n');
  await writeFile(path.join(root, 'proc/sys/kernel/random/boot_id'), 'first\n');
  await writeFile(path.join(root, 'room'), '1000000\n');
  const hdc = { tool: remoteTools.hdc, command: ['sh', path.resolve('test/standins/hdc/hdc.sh'), root] };
  const board = new RemoteBoard({ ...hdc, target: 'STANDIN' });
  const faults = async (counts: Readonly<Record<string, number>>): Promise<void> => {
    const folder = path.join(root, 'faults');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    for (const [name, count] of Object.entries(counts))
      await writeFile(path.join(folder, name), `${count}\n`);
  };
  const asked = async (): Promise<string[]> =>
    (await readFile(path.join(root, 'asked.log'), 'utf8')).trim().split('\n');
  return { root, hdc, board, faults, asked };
}

type TestBoard = Awaited<ReturnType<typeof newBoard>>;

/** A product whose agentctl answers ready unless the product is marked broken. */
async function sampleProduct(
  { root }: TestBoard,
  version: string,
  change: { readonly isBroken?: true; readonly cfg?: string } = {},
) {
  const agentctl = `#!/system/bin/sh\n[ -e /running ] && [ ! -e ${product}/broken ]\n`;
  const entries = [
    text('/system/bin/agentctl', agentctl, 0o755),
    text(cfgPath, change.cfg ?? '{}', 0o500),
    directory(product),
    file(`${product}/bin/busybox`, path.join(root, 'pushed'), 0o755),
    text(`${product}/agent.js`, `// ${version}\n${'x'.repeat(5000)}${Math.sqrt(version.length)}`),
    ...(change.isBroken === true ? [text(`${product}/broken`, '')] : []),
  ];
  return { version, entries, bill: '', contents: await contentManifest(entries, version) };
}

async function install(
  { board }: Pick<TestBoard, 'board'>,
  made: Awaited<ReturnType<typeof sampleProduct>>,
  more: { readonly pieceBytes?: number; readonly isAnyway?: true } = {},
): Promise<DeployOutcome & { said: string[] }> {
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const patience = { tries: 3, pauseMs: 1 };
  const order = { board, product: made, say, timeout: '1s', patience, pieceBytes: 100_000, ...more };
  const outcome = await deploy(order);
  return { ...outcome, said };
}

/** What the agent on the board is, seen through the link in its root. */
async function activeVersion({ root }: TestBoard): Promise<string> {
  const active = await readlink(path.join(root, 'data/oh-edge-agent/active'));
  return (await readFile(path.join(root, active, 'agent.js'), 'utf8')).split('\n')[0] ?? '';
}

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
