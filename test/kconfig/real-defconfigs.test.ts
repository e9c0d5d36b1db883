import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { mergeConfigs } from '../../agent/kernel/config-text.ts';
import { findOption } from '../../agent/kernel/option-table.ts';
import { optionResolver } from '../../agent/kernel/resolve-option.ts';
import { readConfig } from '../../scripts/kconfig/read-config.ts';
import { folderWith, kconfig } from './kconfig-run.ts';
import { defconfigsFolder, type StockKernel, stockKernels } from './stock-kernels.ts';

const folder = defconfigsFolder();
const skip =
  folder === undefined && "no copies of OpenHarmony's defconfigs at hand (OH_DEFCONFIGS names their folder)";

interface Verdicts {
  readonly enabled: readonly string[];
  readonly missing: readonly string[];
}

function checkConfigVerdicts(release: string): {
  readonly layers: Verdicts;
  readonly olddefconfig: Verdicts;
} {
  const data = JSON.parse(readFileSync('test/kconfig/data/check-config-verdicts.json', 'utf8')) as {
    readonly verdicts: readonly { release: string; layers: Verdicts; olddefconfig: Verdicts }[];
  };
  const found = data.verdicts.find((entry) => entry.release === release);
  assert.ok(found);
  return found;
}

function pathsOf({ folder: name, layers }: StockKernel): readonly string[] {
  return layers.map((layer) => path.join(folder ?? '', name, layer));
}

for (const kernel of stockKernels()) {
  const { release } = kernel;

  test(`the recorded options of ${release} are those of the real files`, { skip }, async () => {
    const { config } = mergeConfigs(await Promise.all(pathsOf(kernel).map(readConfig)));
    for (const name of kernel.on) assert.equal(config.get(name)?.value, 'y', name);
    for (const name of kernel.off) assert.equal(config.get(name)?.value, 'n', name);
  });

  test(`the real files of ${release} resolve as olddefconfig of Linux 6.1 does, by docker's own check`, {
    skip,
  }, async () => {
    const { config } = mergeConfigs(await Promise.all(pathsOf(kernel).map(readConfig)));
    const resolve = optionResolver(config, false);
    const { enabled, missing } = checkConfigVerdicts(release).olddefconfig;
    for (const name of enabled) assert.notEqual(resolve(name), 'n', name);
    for (const name of missing) if (findOption(name) !== undefined) assert.equal(resolve(name), 'n', name);
  });

  test(`a fragment for the real files of ${release} makes their check clean`, { skip }, async (t) => {
    const files = pathsOf(kernel);
    const dir = await folderWith(t, {});
    const added = path.join(dir, 'fragment');
    await writeFile(added, `${(await kconfig('fragment', ...files)).out}\n`);
    const { exitCode, out } = await kconfig('check', ...files, added);
    assert.equal(exitCode, 0, out);
    assert.equal((await kconfig('fragment', ...files, added)).out, '');
  });
}

test("docker's own check on unresolved layers differs only where Kconfig selects an option", () => {
  for (const { release } of stockKernels()) {
    const { layers, olddefconfig } = checkConfigVerdicts(release);
    const found = olddefconfig.enabled.filter((name) => layers.missing.includes(name));
    for (const name of found) assert.ok((findOption(name)?.selectedBy?.length ?? 0) > 0, name);
  }
});
