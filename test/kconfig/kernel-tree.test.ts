import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { folderWith, kconfig } from './kconfig-run.ts';
import { defconfigsFolder, stockKernels, stockText } from './stock-kernels.ts';

const tool = 'make';
const noMake = spawnSync(tool, ['--version']).status === 0 ? false : 'make is not installed';

/** A stand-in for a kernel tree: its olddefconfig keeps every line but VETH. */
const standIn = {
  Kconfig: '# stand-in\n',
  'scripts/kconfig/Makefile': '',
  Makefile:
    'olddefconfig:\n\tsed -i -e "s/^CONFIG_VETH=y/# CONFIG_VETH is not set/" $(O)/.config\n\techo CONFIG_CC_VERSION_TEXT=x >> $(O)/.config\n',
};

test('with a kernel tree its olddefconfig decides, and what it drops is told as dropped', {
  skip: noMake,
}, async (t) => {
  const stock = stockKernels().find(({ release }) => release === '6.0');
  assert.ok(stock);
  const dir = await folderWith(t, { ...standIn, layer: `${stockText(stock)}CONFIG_VETH=y\n` });
  const { exitCode, out } = await kconfig('check', path.join(dir, 'layer'), '--tree', dir, '--json');
  const veth = (JSON.parse(out) as { options: { name: string; verdict: string }[] }).options.find(
    ({ name }) => name === 'VETH',
  );
  assert.equal(veth?.verdict, 'dropped');
  assert.equal(exitCode, 1);
});

test('a folder that is no kernel tree and a make that fails are told with the way out', {
  skip: noMake,
}, async (t) => {
  const dir = await folderWith(t, {
    ...standIn,
    Makefile: 'olddefconfig:\n\t@echo flex: not found; exit 3\n',
    layer: 'CONFIG_NET=y\n',
  });
  const layer = path.join(dir, 'layer');
  const noTree = await kconfig('check', layer, '--tree', path.join(dir, 'scripts'));
  assert.equal(noTree.exitCode, 2);
  assert.match(noTree.err, /no Kconfig and scripts\/kconfig/);
  const failed = await kconfig('check', layer, '--tree', dir);
  assert.equal(failed.exitCode, 4);
  assert.match(failed.err, /flex: not found.*install make, gcc, flex and bison/);
});

const tree = process.env['KERNEL_TREE'];
const folder = defconfigsFolder();
const noTree =
  tree === undefined
    ? 'KERNEL_TREE names no kernel source (Debian: apt-get install linux-source-6.1 flex bison)'
    : false;

test("the kernel's own olddefconfig keeps every required option of a merged stock configuration", {
  skip: noTree || (folder === undefined && 'no copies of the defconfigs (OH_DEFCONFIGS)'),
}, async (t) => {
  const dir = await folderWith(t, {});
  for (const { folder: name, kernel, layers } of stockKernels()) {
    const files = layers.map((layer) => path.join(folder ?? '', name, layer));
    assert.ok(readdirSync(path.join(folder ?? '', name)).length > 0);
    const fragment = await kconfig('fragment', ...files, '--kernel', kernel);
    const added = path.join(dir, `fragment-${name}`);
    await writeFile(added, `${fragment.out}\n`);
    const { exitCode, out } = await kconfig(
      'check',
      ...files,
      added,
      '--kernel',
      kernel,
      '--tree',
      tree ?? '',
    );
    assert.equal(exitCode, 0, `${name}\n${out}`);
  }
});
