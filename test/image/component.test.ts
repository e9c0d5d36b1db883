import assert from 'node:assert/strict';
import { lstat, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkCfg, loadCfg, loadProcessList } from '../../scripts/cfg/check-cfg.ts';
import { releases } from '../../scripts/cfg/release.ts';
import { fileSum } from '../../scripts/parts/file-sum.ts';
import { everyPart, image, type SampleBuild, sampleBuild } from './sample-store.ts';

async function component(t: TestContext, ...more: readonly string[]) {
  const build = await sampleBuild(t, everyPart);
  const folder = path.join(build.folder, 'component');
  const { exitCode, err } = await image(build, 'component', folder, ...more);
  assert.equal(exitCode, 0, err);
  const read = async (name: string): Promise<string> => readFile(path.join(folder, name), 'utf8');
  return { build, folder, read };
}

/** Every path below a folder with its mode, time and content. */
async function fingerprint(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const rows: string[] = [];
  for (const name of names) {
    const info = await lstat(path.join(folder, name));
    const sum = info.isFile() ? await fileSum(path.join(folder, name), 'sha256') : '-';
    rows.push(`${name} ${info.mode.toString(8)} ${info.mtimeMs} ${sum}`);
  }
  return rows;
}

test('two runs write the same part, byte for byte', async (t) => {
  const { build, folder } = await component(t);
  const second = path.join(build.folder, 'second');
  await image(build as SampleBuild, 'component', second);
  assert.deepEqual(await fingerprint(second), await fingerprint(folder));
});

for (const secon of ['su', 'own']) {
  test(`the cfg of a part with --secon ${secon} is clean with the part's own process list from 3.2 on`, async (t) => {
    const { folder, read } = await component(t, '--secon', secon);
    const list = await loadProcessList(path.join(folder, 'high_privilege_process_list.json'));
    const cfg = path.join(folder, 'prebuilts/system/etc/init/oh_edge_agent.cfg');
    const findings = checkCfg(
      await loadCfg(cfg, list),
      releases.filter((release) => release !== '3.1'),
    );
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== 'hint'),
      [],
    );
    const context = secon === 'su' ? 'u:r:su:s0' : 'u:r:oh_edge_agent:s0';
    assert.ok((await read('prebuilts/system/etc/init/oh_edge_agent.cfg')).includes(`"secon" : "${context}"`));
    assert.ok((await read('INSTALL.md')).includes(context));
  });
}

test('BUILD.gn installs every prebuilt file exactly once, and its group names every target', async (t) => {
  const { folder, read } = await component(t);
  const gn = await read('BUILD.gn');
  const sources = [...gn.matchAll(/source = "(.+?)"/g)].map((match) => match[1] ?? '');
  const files = (await readdir(path.join(folder, 'prebuilts'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  assert.deepEqual([...sources].sort(), files.sort());
  const targets = [...gn.matchAll(/^ohos_prebuilt_\w+\("(\w+)"\)/gm)].map((match) => match[1] ?? '');
  const named = [...gn.matchAll(/^ {4}":(\w+)",$/gm)].map((match) => match[1] ?? '');
  assert.equal(new Set(targets).size, files.length);
  assert.deepEqual(named, targets);
  assert.equal([...gn.matchAll(/\{/g)].length, [...gn.matchAll(/\}/g)].length);
});

test('where a file is installed is where the board wants it, with its other names', async (t) => {
  const { read } = await component(t);
  const block = (await read('BUILD.gn'))
    .split('\n\n')
    .find((text) => text.includes('docker/xtables-legacy-multi"'));
  assert.match(block ?? '', /ohos_prebuilt_executable/);
  assert.match(block ?? '', /module_install_dir = "opt\/oh-edge-agent\/docker"/);
  assert.match(block ?? '', /symlink_target_name = \[ .*"iptables", .*\]/);
  assert.match(block ?? '', /enable_strip = false/);
});

test('dac.txt has a line for every program outside system/bin and for the private root folder', async (t) => {
  const { read } = await component(t);
  const dac = await read('dac.txt');
  assert.match(dac, /^system\/opt\/oh-edge-agent\/docker\/dockerd, +00755, +0, +0, +0$/m);
  assert.match(dac, /^root, +00700, +0, +0, +0$/m);
  assert.ok(!dac.includes('agent.js') && !dac.includes('system/bin/agentctl'));
  const lines = dac.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  assert.ok(
    lines.every((line) => /^[\w./-]+, +0[0-7]{4}, +\d+, +\d+, +0$/.test(line)),
    dac,
  );
});

test('folders that must exist but hold nothing get a file that makes them, and root folders are named', async (t) => {
  const { folder, read } = await component(t);
  assert.deepEqual(await readdir(path.join(folder, 'prebuilts/system/etc/docker')), ['.keep']);
  assert.deepEqual((await read('root_directories.txt')).trim().split('\n'), [
    'opt',
    'root',
    'run',
    'usr',
    'var',
  ]);
  assert.match(await read('INSTALL.md'), /for _dir_name in \['opt', 'root', 'run', 'usr', 'var'\]/);
});

test('bundle.json names the folder and the group, and every policy file ends with a newline', async (t) => {
  const { folder, read } = await component(t);
  const bundle = JSON.parse(await read('bundle.json')) as {
    segment: { destPath: string };
    component: { build: { sub_component: string[] } };
  };
  assert.deepEqual(bundle.component.build.sub_component, [`//${bundle.segment.destPath}:oh_edge_agent`]);
  for (const name of await readdir(path.join(folder, 'sepolicy'), { recursive: true })) {
    if (/\.te$|_contexts$/.test(name)) assert.match(await read(`sepolicy/${name}`), /[^\n]\n$/, name);
  }
  const rules = await read('sepolicy/system/oh_edge_agent.te');
  assert.ok(!/^type /m.test(rules) && /permissive oh_edge_agent/.test(rules));
  assert.match(await read('sepolicy/public/type.te'), /^type oh_edge_agent, native_system_domain, domain;$/m);
});

test('the content manifest of a part describes the cfg as the part has it', async (t) => {
  const { folder, read } = await component(t, '--secon', 'own');
  const contents = JSON.parse(await read('manifest.json')) as {
    entries: { path: string; sha256?: string }[];
  };
  const cfg = contents.entries.find((row) => row.path === '/system/etc/init/oh_edge_agent.cfg');
  assert.equal(
    cfg?.sha256,
    await fileSum(path.join(folder, 'prebuilts/system/etc/init/oh_edge_agent.cfg'), 'sha256'),
  );
  assert.equal(await read('prebuilts/system/opt/oh-edge-agent/manifest.json'), await read('manifest.json'));
});

test('a part for 3.1 has the cfg that its init takes, and its text and content manifest go with it', async (t) => {
  const { folder, read } = await component(t, '--release', '3.1');
  const cfg = path.join(folder, 'prebuilts/system/etc/init/oh_edge_agent.cfg');
  const findings = checkCfg(await loadCfg(cfg), ['3.1']);
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'hint'),
    [],
  );
  assert.match(await read('INSTALL.md'), /Its cfg is for OpenHarmony 3\.1/);
  assert.ok((await read('manifest.json')).includes(await fileSum(cfg, 'sha256')));
});
