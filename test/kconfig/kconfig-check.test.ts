import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { folderWith, kconfig } from './kconfig-run.ts';
import { stockKernels, stockText } from './stock-kernels.ts';

function stock(release: string): string {
  const kernel = stockKernels().find((entry) => entry.release === release);
  assert.ok(kernel);
  return stockText(kernel);
}

function parsed(text: string) {
  return JSON.parse(text) as {
    readonly answer: string;
    readonly kernel: string;
    readonly lacking: Record<string, string[]>;
    readonly contradictions: string[];
    readonly notes: string[];
    readonly options: { readonly name: string; readonly verdict: string }[];
  };
}

test('check answers no with code 1, names each lacking option, its loss and the deciding line', async (t) => {
  const dir = await folderWith(t, { arm64_defconfig: stock('6.0') });
  const { exitCode, out } = await kconfig('check', path.join(dir, 'arm64_defconfig'), '--kernel', '6.6');
  assert.equal(exitCode, 1);
  assert.match(out, /required and lacking: 7/);
  assert.match(out, /CONFIG_VETH {2}for bridge, cni/);
  assert.match(out, /arm64_defconfig:\d+ says n/);
  assert.match(out, /^no: /m);
});

test('check of layers plus their own fragment answers yes with code 0', async (t) => {
  const dir = await folderWith(t, { layer: stock('3.2') });
  const layer = path.join(dir, 'layer');
  const fragment = await kconfig('fragment', layer, '--kernel', '5.10');
  assert.equal(fragment.exitCode, 0);
  const added = path.join(dir, 'fragment');
  await writeFile(added, `${fragment.out}\n`);
  const { exitCode, out } = await kconfig('check', layer, added, '--kernel', '5.10');
  assert.equal(exitCode, 0, out);
  assert.match(out, /^yes: /m);
});

test('a fragment holds only settings that are lacking, each below its reason', async (t) => {
  const dir = await folderWith(t, { layer: stock('6.0') });
  const { out } = await kconfig(
    'fragment',
    path.join(dir, 'layer'),
    '--kernel',
    '6.6',
    '--level',
    'required',
  );
  const settings = out.split('\n').filter((line) => !line.startsWith('#'));
  assert.deepEqual(settings.sort(), [
    'CONFIG_BRIDGE=y',
    'CONFIG_BRIDGE_NETFILTER=y',
    'CONFIG_IP_NF_TARGET_MASQUERADE=y',
    'CONFIG_NETFILTER_XT_MATCH_ADDRTYPE=y',
    'CONFIG_OVERLAY_FS=y',
    'CONFIG_POSIX_MQUEUE=y',
    'CONFIG_VETH=y',
  ]);
  assert.match(out, /# required for bridge, cni\n# {3}without: .*\nCONFIG_VETH=y/);
});

test('--json prints the answer and nothing else', async (t) => {
  const dir = await folderWith(t, { layer: stock('5.0.0') });
  const { out, exitCode } = await kconfig('check', path.join(dir, 'layer'), '--kernel', '5.10', '--json');
  const answer = parsed(out);
  assert.equal(exitCode, 1);
  assert.equal(answer.answer, 'no');
  assert.equal(answer.kernel, '5.10');
  assert.equal(answer.lacking['required']?.length, 7);
});

test('a config.gz from a board is read, its header tells the kernel, and what it does not name is off', async (t) => {
  const text = `# Linux/arm64 6.6.22 Kernel Configuration\nCONFIG_CC_VERSION_TEXT="clang"\nCONFIG_NET=y\nCONFIG_NETDEVICES=y\nCONFIG_VETH=y\n`;
  const dir = await folderWith(t, { 'config.gz': gzipSync(text) });
  const { out } = await kconfig('check', path.join(dir, 'config.gz'), '--json', '--feature', 'bridge');
  const answer = parsed(out);
  assert.equal(answer.kernel, '6.6');
  assert.equal(answer.options.find(({ name }) => name === 'VETH')?.verdict, 'dropped');
});

test('features add up, and an unknown one is wrong usage', async (t) => {
  const dir = await folderWith(t, { layer: stock('6.0') });
  const layer = path.join(dir, 'layer');
  const both = await kconfig('check', layer, '--json', '--feature', 'ipv6', '--feature', 'default');
  assert.ok(parsed(both.out).lacking['required']?.includes('IP6_NF_RAW'));
  assert.ok(parsed(both.out).lacking['required']?.includes('VETH'));
  const wrong = await kconfig('check', layer, '--feature', 'teleport');
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.err, /"teleport": want default, all, agent/);
});

test('the kernel is taken from the path, assumed aloud where nothing tells it, and a mixture is refused', async (t) => {
  const old = '# Linux/arm64 5.10.79 Kernel Configuration\nCONFIG_NET=y\n';
  const dir = await folderWith(t, { 'linux-6.6/a': 'CONFIG_NET=y\n', b: 'CONFIG_NET=y\n', c: old });
  const of = (name: string) => path.join(dir, name);
  assert.equal(parsed((await kconfig('check', of('linux-6.6/a'), '--json')).out).kernel, '6.6');
  const assumed = parsed((await kconfig('check', of('b'), '--json')).out);
  assert.match(assumed.notes.join(), /6\.6 is assumed/);
  const mixed = await kconfig('check', of('c'), of('linux-6.6/a'));
  assert.equal(mixed.exitCode, 2);
  assert.match(mixed.err, /layers of different kernels: 5\.10 in .*6\.6 in/);
});

test('layers in another order than the build merges them are refused with the right order', async (t) => {
  const dir = await folderWith(t, {
    base_defconfig: 'CONFIG_NET=y\n',
    'rk3568/arch/arm64_defconfig': 'CONFIG_NET=y\n',
  });
  const { exitCode, err } = await kconfig(
    'check',
    path.join(dir, 'base_defconfig'),
    path.join(dir, 'rk3568/arch/arm64_defconfig'),
  );
  assert.equal(exitCode, 2);
  assert.match(err, /merges type\/standard_defconfig, .*base_defconfig; give the files in this order/);
});

test('an option that a later layer takes away again is a contradiction with both lines named', async (t) => {
  const dir = await folderWith(t, {
    product_a: `${stock('6.0')}CONFIG_VETH=y\n`,
    base_defconfig: '# CONFIG_VETH is not set\n',
  });
  const { exitCode, err } = await kconfig(
    'check',
    path.join(dir, 'product_a'),
    path.join(dir, 'base_defconfig'),
  );
  assert.equal(exitCode, 2);
  assert.match(
    err,
    /Cannot have CONFIG_VETH: .*product_a:\d+ sets y, .*base_defconfig:1 switches it off and wins/,
  );
});

test('a needed module under MODULE_SIG_FORCE is a contradiction, without it a hint', async (t) => {
  const forced = stock('6.0').replace('# CONFIG_VETH is not set', 'CONFIG_VETH=m');
  const dir = await folderWith(t, { forced, free: forced.replace('CONFIG_MODULE_SIG_FORCE=y\n', '') });
  const refused = await kconfig('check', path.join(dir, 'forced'));
  assert.equal(refused.exitCode, 2);
  assert.match(refused.err, /CONFIG_VETH as a module: .*sets m, and MODULE_SIG_FORCE=y .* set y/);
  const hinted = await kconfig('check', path.join(dir, 'free'));
  assert.equal(hinted.exitCode, 1);
  assert.match(hinted.out, /modules to load before dockerd starts: VETH/);
});

test('bad input is told in one line with the way out, exit code 2', async (t) => {
  const dir = await folderWith(t, {
    Image: new Uint8Array([0x4d, 0x5a, 0, 0, 1, 2]),
    crlf: 'CONFIG_NET=y\r\n',
    'broken.gz': gzipSync('CONFIG_NET=y\n').subarray(0, 12),
    'bomb.gz': gzipSync(Buffer.alloc(40_000_000, 'CONFIG_A=y\n')),
    huge: '',
  });
  await truncate(path.join(dir, 'huge'), 50 * 1024 * 1024);
  const complaints: Readonly<Record<string, RegExp>> = {
    Image: /binary file/,
    crlf: /CRLF/,
    'broken.gz': /damaged; copy it again/,
    'bomb.gz': /more than that unpacked, want at most 4 MiB/,
    huge: /50 MiB, want at most 4 MiB/,
    absent: /ENOENT/,
    '.': /it is a directory, want a readable defconfig/,
    '/dev/zero': /it is a pipe or a device, want a readable defconfig/,
  };
  for (const [name, complaint] of Object.entries(complaints)) {
    const { exitCode, err, out } = await kconfig('check', path.resolve(dir, name));
    assert.equal(exitCode, 2, name);
    assert.match(err, complaint, name);
    assert.equal(err.split('\n').length, 1, name);
    assert.equal(out, '', name);
  }
});

test('help, wrong usage and no command at all tell what there is', async () => {
  const help = await kconfig('--help');
  assert.equal(help.exitCode, 0);
  for (const word of ['check', 'fragment', 'merge', 'explain', 'Examples:', 'Exit code:'])
    assert.ok(help.out.includes(word));
  assert.equal((await kconfig('check')).exitCode, 2);
  assert.equal((await kconfig('check', 'x', '--nonsense')).exitCode, 2);
  assert.equal((await kconfig()).exitCode, 2);
});

test('explain tells demand, parents, children and source, and guesses at a half name', async () => {
  const bridge = await kconfig('explain', 'CONFIG_BRIDGE', 'nf_nat_ftp');
  assert.equal(bridge.exitCode, 0);
  assert.match(bridge.out, /needed by {2}bridge \(required\), cni \(required\)/);
  assert.match(bridge.out, /needed for .*BRIDGE_NETFILTER/);
  assert.match(bridge.out, /source {5}moby\/moby contrib\/check-config.sh/);
  assert.match(bridge.out, /settable {3}no/);
  const half = await kconfig('explain', 'MASQ');
  assert.equal(half.exitCode, 2);
  assert.match(half.err, /did you mean IP_NF_TARGET_MASQUERADE/);
  assert.match((await kconfig('explain')).out, /^bridge: /m);
  assert.equal((JSON.parse((await kconfig('explain', 'VETH', '--json')).out) as unknown[]).length, 1);
});

test('the program runs as npm starts it', async () => {
  const row = (JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> })
    .scripts;
  assert.match(row['kconfig'] ?? '', /\btsx scripts\/kconfig\/main\.ts$/);
});
