import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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

const tree = process.env['KERNEL_TREE'] ?? '';
const noTree =
  tree === '' && 'KERNEL_TREE names no kernel source (Debian: apt-get install linux-source-6.1 flex bison)';

// What Kconfig drops in silence is what the table's parents must know: with a table that knows too little, the recorded
// options, which are nothing but the table's, lose one here.
test("the kernel's own olddefconfig keeps every required option of the recorded kernels with their fragment", {
  skip: noTree,
}, async (t) => {
  // 5.0.0 sets what 6.0 sets, and each run costs a build of the kernel's conf.
  for (const stock of stockKernels().filter(({ release }) => release !== '5.0.0')) {
    const { release, kernel } = stock;
    const dir = await folderWith(t, { layer: stockText(stock) });
    const files = [path.join(dir, 'layer'), path.join(dir, 'fragment')] as const;
    const fragment = await kconfig('fragment', files[0], '--kernel', kernel);
    await writeFile(files[1], `${fragment.out}\n`);
    const { exitCode, out } = await kconfig('check', ...files, '--kernel', kernel, '--tree', tree);
    assert.equal(exitCode, 0, `${release}\n${out}`);
    assert.match(out, /lacking: 0 required, 0 recommended/);
  }
});

const folder = defconfigsFolder();
const noReal = folder === undefined && 'no copies of the defconfigs (OH_DEFCONFIGS)';

test("the kernel's own olddefconfig keeps every required option of a merged stock configuration", {
  skip: noTree || noReal,
}, async (t) => {
  const dir = await folderWith(t, {});
  for (const { folder: name, kernel, layers } of stockKernels()) {
    const files = layers.map((layer) => path.join(folder ?? '', name, layer));
    const fragment = await kconfig('fragment', ...files, '--kernel', kernel);
    const added = path.join(dir, `fragment-${name}`);
    await writeFile(added, `${fragment.out}\n`);
    const asked = ['--kernel', kernel, '--tree', tree];
    const { exitCode, out } = await kconfig('check', ...files, added, ...asked);
    assert.equal(exitCode, 0, `${name}\n${out}`);
  }
});
