import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { composeProduct } from '../../scripts/image/product.ts';
import type { TreeEntry } from '../../scripts/image/tree.ts';
import { componentTree } from '../../scripts/image/write-component.ts';
import { buildPart } from '../../scripts/lab/build-part.ts';
import { everyPart, sampleBuild } from './sample-store.ts';

async function describe(entry: TreeEntry): Promise<string> {
  const content =
    entry.kind === 'file'
      ? await readFile(entry.source, 'utf8')
      : entry.kind === 'text'
        ? entry.content
        : entry.kind === 'link'
          ? entry.target
          : 'a folder';
  return `${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${content}`;
}

test('what the build makes of the part is the product: the same files, modes, owners, links and mount points', async (t) => {
  const { store, dist } = await sampleBuild(t, everyPart);
  const product = await composeProduct({
    repository: process.cwd(),
    dist,
    store,
    root: 'image',
    epoch: null,
  });
  const built = new Map(
    buildPart(await componentTree(product, { secon: 'su' })).map((entry) => [entry.path, entry]),
  );
  for (const entry of product.entries) {
    // The part's manifest has the keepers of empty folders besides.
    if (entry.path.endsWith('/manifest.json')) continue;
    const found = built.get(entry.path);
    assert.ok(found, entry.path);
    assert.equal(await describe(found), await describe(entry), entry.path);
  }
  const more = [...built.values()].filter(
    ({ path, kind }) => kind !== 'directory' && !product.entries.some((entry) => entry.path === path),
  );
  assert.ok(
    more.every(({ path }) => path.endsWith('/.keep')),
    more.map(({ path }) => path).join(' '),
  );
});
