import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAgentError } from '../../agent/core/agent-error.ts';
import { compareKernels, features } from '../../agent/kernel/kernel-option.ts';
import { findOption, kernelOptions, parseRow } from '../../agent/kernel/option-table.ts';

test('every option has one row, a name Kconfig could have, and a consequence', () => {
  const names = kernelOptions.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  for (const { name, without } of kernelOptions) {
    assert.match(name, /^[A-Z][A-Z0-9_]+$/);
    assert.ok(without.length > 5, name);
  }
});

test('every parent and stand-in is itself a row, so that no chain ends in the dark', () => {
  for (const { name, parents = [], instead } of kernelOptions) {
    for (const parent of [
      ...parents.flatMap((word) => word.split('|')),
      ...(instead === undefined ? [] : [instead]),
    ]) {
      assert.ok(findOption(parent), `${name} names ${parent}`);
    }
  }
});

test('an option without a feature is the parent, stand-in or switch of another', () => {
  const used = new Set(
    kernelOptions.flatMap((row) => [
      ...(row.parents ?? []).flatMap((word) => word.split('|')),
      ...(row.selectedBy ?? []),
      ...(row.instead === undefined ? [] : [row.instead]),
      row.name === 'IP_NF_TARGET_MASQUERADE'
        ? 'NETFILTER_XT_TARGET_MASQUERADE'
        : row.name === 'MODULES'
          ? 'MODULE_SIG_FORCE'
          : row.name,
    ]),
  );
  for (const { name, needs } of kernelOptions)
    assert.ok(Object.keys(needs).length > 0 || used.has(name), name);
});

test('every feature has at least one required option', () => {
  for (const feature of Object.keys(features) as (keyof typeof features)[]) {
    assert.ok(
      kernelOptions.some(({ needs }) => needs[feature] === 'required'),
      feature,
    );
  }
});

test("every option that docker's own check asks for is in the table; AUFS never was in Linux", () => {
  const { asked } = JSON.parse(readFileSync('test/kconfig/data/check-config-verdicts.json', 'utf8')) as {
    asked: Record<string, string[]>;
  };
  const missing = Object.values(asked)
    .flat()
    .filter((name) => findOption(name) === undefined);
  assert.deepEqual([...new Set(missing)], ['AUFS_FS']);
});

test('a row with a word that means nothing is a bug of the table', () => {
  for (const row of [
    'A ; nosuch! ; - ; moby ; x',
    'A ; docker ; - ; moby ; x',
    'A ; - ; colour=1 ; moby ; x',
    'A ; - ; - ; nowhere ; x',
  ]) {
    assert.throws(
      () => parseRow(row),
      (error) => isAgentError(error, 'BUG'),
      row,
    );
  }
});

test('a consequence may hold the separator', () => {
  assert.equal(parseRow('A ; - ; - ; moby ; one ; two').without, 'one ; two');
});

test('versions compare by number, not by letter', () => {
  assert.ok(compareKernels('5.10', '5.2') > 0);
  assert.ok(compareKernels('4.19', '5.0') < 0);
  assert.equal(compareKernels('6.6', '6.6'), 0);
});

test('the table stays small enough to travel to the board', () => {
  const bytes = ['base', 'cgroup', 'storage', 'network', 'extra-network']
    .map((part) => readFileSync(`agent/kernel/${part}-options.ts`).length)
    .reduce((sum, size) => sum + size, 0);
  assert.ok(bytes < 30_000, `${bytes} bytes`);
});
