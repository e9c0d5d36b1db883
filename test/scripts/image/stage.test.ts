import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Parts } from '../../../scripts/image/check-parts.ts';
import { stageProduct } from '../../../scripts/image/stage.ts';
import { directory, mergeTrees, text } from '../../../scripts/image/tree.ts';

const parts: Parts = {
  busybox: '/parts/busybox',
  node: '/parts/node',
  nodeLibraries: { 'libc.so.6': '/parts/libc.so.6' },
  docker: { dockerd: '/parts/dockerd' },
};

const modes = [
  'd 0755 root root /run mountpoint',
  'f 0644 root root /system/etc/machine-id mountpoint',
  'f 0500 root root /system/etc/init/x.cfg',
  'f 0644 root root /system/opt/oh-edge-agent/agent.js',
  'f 0755 root root /system/opt/oh-edge-agent/bin/busybox',
];

async function overlayWith(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'overlay-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

test('the image strategy brings the mount points along, the stock strategy leaves them out', async (t) => {
  const overlay = await overlayWith(t, { MODES: modes.join('\n'), 'system/etc/init/x.cfg': '{}' });
  const stage = async (root: 'image' | 'stock'): Promise<string[]> =>
    (await stageProduct({ overlay, dist: '/dist', parts, root })).map((entry) => entry.path);
  const image = await stage('image');
  const stock = await stage('stock');
  assert.deepEqual(
    image.filter((name) => !stock.includes(name)),
    ['/run', '/system/etc/machine-id'],
  );
});

test('every path has the mode and the source that the table and the parts say', async (t) => {
  const overlay = await overlayWith(t, { MODES: modes.join('\n'), 'system/etc/init/x.cfg': '{}' });
  const tree = await stageProduct({ overlay, dist: '/dist', parts, root: 'image' });
  const find = (name: string): unknown => tree.find((entry) => entry.path === name);
  const root = { uid: 0, gid: 0 };
  const product = '/system/opt/oh-edge-agent';
  assert.deepEqual(find('/system/etc/init/x.cfg'), {
    kind: 'file',
    path: '/system/etc/init/x.cfg',
    mode: 0o500,
    source: path.join(overlay, 'system/etc/init/x.cfg'),
    ...root,
  });
  const file = (name: string, source: string, mode: number): object => ({
    kind: 'file',
    path: `${product}/${name}`,
    mode,
    source,
    ...root,
  });
  assert.deepEqual(find(`${product}/agent.js`), file('agent.js', '/dist/agent.js', 0o644));
  assert.deepEqual(find(`${product}/runtime/bin/node`), file('runtime/bin/node', '/parts/node', 0o755));
  assert.deepEqual(
    find(`${product}/runtime/lib/libc.so.6`),
    file('runtime/lib/libc.so.6', '/parts/libc.so.6', 0o755),
  );
  assert.deepEqual(find(`${product}/docker/dockerd`), file('docker/dockerd', '/parts/dockerd', 0o755));
});

test('a file of the overlay without a row is refused', async (t) => {
  const overlay = await overlayWith(t, { MODES: '', 'system/bin/forgotten': '' });
  await assert.rejects(stageProduct({ overlay, dist: '/dist', parts, root: 'image' }), {
    message: /\/system\/bin\/forgotten: no row in sysroot-overlay\/MODES/,
  });
});

test('a row without a source is refused', async (t) => {
  const overlay = await overlayWith(t, { MODES: 'f 0644 root root /system/etc/nowhere' });
  await assert.rejects(
    stageProduct({ overlay, dist: '/dist', parts, root: 'image' }),
    /\/system\/etc\/nowhere: neither/,
  );
});

test('trees merge with parents first, and the later entry of a path counts', () => {
  const merged = mergeTrees([text('/a/b/c', 'old')], [directory('/a', 0o700), text('/a/b/c', 'new')]);
  assert.deepEqual(merged, [directory('/a', 0o700), directory('/a/b'), text('/a/b/c', 'new')]);
});
