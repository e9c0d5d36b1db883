import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { fileSum } from '../../scripts/parts/file-sum.ts';
import { dynamicProgram } from '../parts/samples.ts';
import { everyPart, image, imageAt, sampleBuild } from './sample-store.ts';

const productDir = 'system/opt/oh-edge-agent';
const isRoot = process.getuid?.() === 0;

async function headers(archive: string): Promise<Map<string, Header>> {
  const found = new Map<string, Header>();
  const tar = createReadStream(archive)
    .pipe(createGunzip())
    .pipe(extract() as unknown as NodeJS.WritableStream);
  for await (const entry of tar as unknown as ReturnType<typeof extract>) {
    found.set(entry.header.name, entry.header);
    entry.resume();
  }
  return found;
}

test('two archives of the same product are the same byte for byte, whatever lay between', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const sums: string[] = [];
  for (const name of ['one.tar.gz', 'two.tar.gz']) {
    const target = path.join(build.folder, name);
    const { exitCode, err } = await image(build, 'tar', target);
    assert.equal(exitCode, 0, err);
    sums.push(await fileSum(target, 'sha256'));
    // A newer source of the same content must not show.
    await writeFile(path.join(build.dist, 'agent.js'), '// agent.js\n');
  }
  assert.equal(sums[0], sums[1]);
});

test('an archive has sorted paths, modes and numeric owners from MODES, and no folder of the board itself', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const target = path.join(build.folder, 'p.tar.gz');
  assert.equal((await imageAt(build, '1700000000', 'tar', target, '--root', 'image')).exitCode, 0);
  const found = await headers(target);
  const names = [...found.keys()];
  const plain = names.map((name) => name.replace(/\/$/, ''));
  assert.deepEqual(plain, [...plain].sort());
  for (const foreign of ['system/', 'system/bin/', 'system/etc/', 'system/etc/init/'])
    assert.ok(!found.has(foreign));
  assert.equal(found.get('system/etc/init/oh_edge_agent.cfg')?.mode, 0o500);
  assert.equal(found.get('system/bin/agentctl')?.gid, 2000);
  assert.equal(found.get('system/bin/agentctl')?.mode, 0o755);
  assert.equal(found.get('root/')?.mode, 0o700);
  assert.equal(found.get(`${productDir}/docker/dockerd`)?.mode, 0o755);
  assert.equal(found.get(`${productDir}/docker/iptables`)?.linkname, 'xtables-legacy-multi');
  assert.ok([...found.values()].every(({ mtime }) => mtime.getTime() === 1_700_000_000_000));
});

test('a stock root gets none of the mount points', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const target = path.join(build.folder, 'p.tar.gz');
  await image(build, 'tar', target, '--root', 'stock');
  const names = [...(await headers(target)).keys()];
  assert.ok(names.every((name) => name.startsWith('system/')));
  assert.ok(!names.includes('system/etc/machine-id'));
});

test('a folder holds what its content manifest says, and the store is left as it was', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const before = await lstat(path.join(build.store, 'docker/dockerd'));
  const folder = path.join(build.folder, 'product');
  const { exitCode, err } = await image(build, 'dir', folder);
  assert.equal(exitCode, 0, err);
  const contents = JSON.parse(await readFile(path.join(folder, productDir, 'manifest.json'), 'utf8')) as {
    entries: { path: string; type: string; mode: string; uid: number; gid: number; sha256?: string }[];
  };
  for (const row of contents.entries) {
    const info = await lstat(path.join(folder, row.path));
    if (row.type !== 'link')
      assert.equal((info.mode & 0o7777).toString(8).padStart(4, '0'), row.mode, row.path);
    if (isRoot) assert.deepEqual([info.uid, info.gid], [row.uid, row.gid], row.path);
    if (row.type === 'file') assert.equal(await fileSum(path.join(folder, row.path), 'sha256'), row.sha256);
  }
  const listed = new Set(contents.entries.map((row) => row.path.slice(1)));
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  assert.deepEqual(
    files.filter((name) => !listed.has(name)),
    [`${productDir}/manifest.json`],
  );
  const pause = contents.entries.find((row) => row.path === `/${productDir}/pause.tar`);
  assert.equal(pause?.mode, '0644');
  const after = await lstat(path.join(build.store, 'docker/dockerd'));
  assert.deepEqual([after.mode, after.mtimeMs, after.nlink], [before.mode, before.mtimeMs, before.nlink]);
  assert.equal(await readFile(path.join(folder, productDir, 'kubeedge/version'), 'utf8'), 'v1.22.1\n');
});

test('two folders are the same path for path, whatever the umask of whoever writes them', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const looks: string[][] = [];
  const usual = process.umask();
  t.after(() => process.umask(usual));
  for (const umask of [0o022, 0o077]) {
    process.umask(umask);
    const folder = path.join(build.folder, `product-${umask}`);
    assert.equal((await image(build, 'dir', folder, '--root', 'image')).exitCode, 0);
    const names = ['.', ...(await readdir(folder, { recursive: true })).sort()];
    const rows = names.map(async (name) => {
      const { mode, mtimeMs } = await lstat(path.join(folder, name));
      return `${name} ${mode.toString(8)} ${mtimeMs}`;
    });
    looks.push(await Promise.all(rows));
  }
  assert.ok(looks[0]?.includes('system 40755 0'), looks[0]?.join());
  assert.deepEqual(looks[1], looks[0]);
});

test('the bill of materials names every part with its sum, and every bundled package with its licence', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const folder = path.join(build.folder, 'product');
  await image(build, 'dir', folder);
  const text = await readFile(path.join(folder, productDir, 'sbom.cdx.json'), 'utf8');
  const bill = JSON.parse(text) as {
    bomFormat: string;
    metadata: { timestamp?: string };
    components: { name: string; version: string; licenses?: unknown[]; components?: unknown[] }[];
  };
  assert.equal(bill.bomFormat, 'CycloneDX');
  assert.equal(bill.metadata.timestamp, undefined);
  const names = bill.components.map(({ name }) => name);
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { dependencies: object };
  for (const name of [...everyPart, ...Object.keys(dependencies)]) assert.ok(names.includes(name), name);
  assert.ok(bill.components.every(({ licenses, version }) => licenses !== undefined && version !== ''));
  assert.ok(!names.includes('typescript') && !names.includes('undici'));
});

test('missing parts, missing bundles and a changed part are refused with what to do', async (t) => {
  const empty = await sampleBuild(t, ['busybox']);
  const missing = await image(empty, 'dir', path.join(empty.folder, 'out'));
  assert.equal(missing.exitCode, 1);
  assert.match(missing.err, /node, docker missing in .*npm run parts -- fetch node docker/);
  const build = await sampleBuild(t, everyPart);
  await writeFile(path.join(build.store, 'docker/runc'), 'changed');
  assert.match((await image(build, 'tar', path.join(build.folder, 'p.tar'))).err, /docker\/runc has the sum/);
  const bare = { ...build, dist: build.folder };
  const unbuilt = await image(bare, 'dir', path.join(build.folder, 'out'));
  assert.match(unbuilt.err, /run: npm run build/);
  assert.ok(!(await readdir(build.folder)).includes('p.tar'));
});

test('a folder with something in it is not written to, and a broken SOURCE_DATE_EPOCH is wrong usage', async (t) => {
  const build = await sampleBuild(t, everyPart);
  const full = await image(build, 'dir', build.folder);
  assert.equal(full.exitCode, 1);
  assert.match(full.err, /is not empty; name a new folder/);
  const taken = await image(build, 'tar', build.folder);
  assert.equal(taken.exitCode, 1);
  assert.match(taken.err, /EISDIR.*; name another target/);
  assert.equal((await imageAt(build, 'yesterday', 'dir', path.join(build.folder, 'out'))).exitCode, 2);
});

test('an official Node without its loader beside it makes no image', async (t) => {
  const build = await sampleBuild(t, ['busybox', 'docker']);
  const { PartStore } = await import('../../scripts/parts/store.ts');
  const { addPart } = await import('../../scripts/parts/add-part.ts');
  const node = path.join(build.folder, 'node');
  await writeFile(node, dynamicProgram('/lib/ld-linux-aarch64.so.1'));
  const store = await PartStore.open(build.store);
  await addPart({ name: 'node-glibc', paths: [node], version: undefined }, store);
  const { exitCode, err } = await image(build, 'dir', path.join(build.folder, 'out'));
  assert.equal(exitCode, 1);
  assert.match(err, /node-glibc needs ld-linux-aarch64\.so\.1/);
  const libraries = path.join(build.folder, 'lib');
  await import('node:fs/promises').then(async ({ mkdir }) => mkdir(libraries));
  await writeFile(
    path.join(libraries, 'ld-linux-aarch64.so.1'),
    (await import('../parts/samples.ts')).staticProgram(),
  );
  await addPart({ name: 'node-libraries', paths: [libraries], version: undefined }, store);
  const whole = await image(build, 'dir', path.join(build.folder, 'out'));
  assert.equal(whole.exitCode, 0, whole.err);
  assert.deepEqual(await readdir(path.join(build.folder, 'out', productDir, 'runtime/lib')), [
    'ld-linux-aarch64.so.1',
  ]);
});
