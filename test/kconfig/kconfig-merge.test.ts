import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { folderWith, kconfig } from './kconfig-run.ts';
import { stockKernels, stockText } from './stock-kernels.ts';

function stock(release: string): string {
  const kernel = stockKernels().find((entry) => entry.release === release);
  assert.ok(kernel);
  return stockText(kernel);
}

const product = 'kernel/linux/config/linux-6.6/rk3568/product/default_defconfig';

/** A source tree as 4.0 and later have it. */
async function layeredTree(t: TestContext, base = 'CONFIG_FUTEX=y\n'): Promise<string> {
  const root = 'kernel/linux/config/linux-6.6';
  return folderWith(t, {
    [`${root}/type/standard_defconfig`]: 'CONFIG_SWAP=y\n',
    [`${root}/rk3568/arch/arm64_defconfig`]: stock('6.0'),
    [`${root}/arch/arm64/configs/rk3568_standard_defconfig`]: stock('6.0'),
    [`${root}/base_defconfig`]: base,
  });
}

function layersOf(dir: string): readonly string[] {
  const root = path.join(dir, 'kernel/linux/config/linux-6.6');
  return [
    'type/standard_defconfig',
    'rk3568/arch/arm64_defconfig',
    'rk3568/product/default_defconfig',
    'base_defconfig',
  ].map((name) => path.join(root, name));
}

test('merge writes the product layer, after which a check of the layers is clean', async (t) => {
  const dir = await layeredTree(t);
  const merged = await kconfig('merge', '--into', dir);
  assert.equal(merged.exitCode, 0, merged.err);
  assert.match(merged.out, /wrote .*rk3568\/product\/default_defconfig \(Linux 6\.6, product layer\)/);
  assert.match(merged.out, /delete out\/kernel/);
  const check = await kconfig('check', ...layersOf(dir));
  assert.equal(check.exitCode, 0, check.out);
});

test('merging again changes nothing, and leaves no half file behind', async (t) => {
  const dir = await layeredTree(t);
  await kconfig('merge', '--into', dir);
  const first = await readFile(path.join(dir, product), 'utf8');
  const again = await kconfig('merge', '--into', dir);
  assert.equal(again.exitCode, 0);
  assert.match(again.out, /unchanged:/);
  assert.equal(await readFile(path.join(dir, product), 'utf8'), first);
  assert.deepEqual(await readdir(path.dirname(path.join(dir, product))), ['default_defconfig']);
});

test("the product's own lines stay, and what they set is not set again", async (t) => {
  const dir = await layeredTree(t);
  await mkdir(path.dirname(path.join(dir, product)), { recursive: true });
  await writeFile(path.join(dir, product), '# ours\nCONFIG_VETH=y\nCONFIG_USB_ACM=y');
  await kconfig('merge', '--into', dir);
  const text = await readFile(path.join(dir, product), 'utf8');
  assert.ok(text.startsWith('# ours\nCONFIG_VETH=y\nCONFIG_USB_ACM=y\n# oh-edge-agent:'));
  assert.equal(text.match(/CONFIG_VETH=y/g)?.length, 1);
  await kconfig('merge', '--into', dir, '--feature', 'default,ipv6');
  const more = await readFile(path.join(dir, product), 'utf8');
  assert.equal(more.match(/oh-edge-agent: end/g)?.length, 1);
  assert.match(more, /CONFIG_IP6_NF_RAW=y/);
});

test('an option that base_defconfig switches off is told as defeated, exit code 1', async (t) => {
  const dir = await layeredTree(t, 'CONFIG_FUTEX=y\n# CONFIG_OVERLAY_FS is not set\n');
  const { exitCode, err } = await kconfig('merge', '--into', dir);
  assert.equal(exitCode, 1);
  assert.match(
    err,
    /defeated: .*CONFIG_OVERLAY_FS: .*product\/default_defconfig:\d+ sets y, .*base_defconfig:2/,
  );
  assert.match(err, /still lacking: OVERLAY_FS/);
});

test('a dry run and --json tell the plan and write nothing', async (t) => {
  const dir = await layeredTree(t);
  const { out, exitCode } = await kconfig('merge', '--into', dir, '--dry-run', '--json');
  assert.equal(exitCode, 0);
  const plan = JSON.parse(out) as { written: boolean; form: string; options: { name: string }[] };
  assert.equal(plan.written, false);
  assert.equal(plan.form, 'layers');
  assert.ok(plan.options.some(({ name }) => name === 'VETH'));
  await assert.rejects(readFile(path.join(dir, product)));
});

test('the one file of 3.x gets a block at its end', async (t) => {
  const name = 'linux-5.10/arch/arm64/configs/rk3568_standard_defconfig';
  const dir = await folderWith(t, { [name]: stock('3.2') });
  const { exitCode, out } = await kconfig('merge', '--into', dir);
  assert.equal(exitCode, 0);
  assert.match(out, /the one file of 3\.x/);
  const text = await readFile(path.join(dir, name), 'utf8');
  assert.ok(text.startsWith(stock('3.2')));
  assert.equal((await kconfig('check', path.join(dir, name))).exitCode, 0);
  await kconfig('merge', '--into', path.join(dir, 'linux-5.10'));
  assert.equal(await readFile(path.join(dir, name), 'utf8'), text);
});

test('two kernels need a choice, none or a wrong folder is told', async (t) => {
  const file = 'arch/arm64/configs/rk3568_standard_defconfig';
  const dir = await folderWith(t, {
    [`linux-5.10/${file}`]: stock('5.0.0'),
    [`linux-6.6/${file}`]: stock('6.0'),
  });
  const undecided = await kconfig('merge', '--into', dir);
  assert.equal(undecided.exitCode, 2);
  assert.match(undecided.err, /between linux-5\.10 and linux-6\.6 .*--kernel/);
  assert.equal((await kconfig('merge', '--into', dir, '--kernel', '6.6', '--dry-run')).exitCode, 0);
  const absent = await kconfig('merge', '--into', dir, '--kernel', '4.19');
  assert.equal(absent.exitCode, 2);
  assert.match(absent.err, /Cannot find linux-4\.19 with a configuration of "rk3568"/);
  assert.equal((await kconfig('merge', '--into', dir, '--kernel', 'six')).exitCode, 2);
});
