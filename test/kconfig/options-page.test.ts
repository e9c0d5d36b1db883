import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { kernelOptions } from '../../agent/kernel/option-table.ts';
import { optionsPage, optionsPageFile } from '../../scripts/kconfig/options-page.ts';

test('the page of kernel options is what the table says; npm run reference writes it', () => {
  assert.equal(readFileSync(optionsPageFile, 'utf8'), optionsPage());
});

test('the page has a row for every option, with what a user sees without it', () => {
  const page = optionsPage();
  for (const { name, without } of kernelOptions) {
    const row = page
      .split('\n')
      .find((line) => line.startsWith(`| ${name} `) || line.startsWith(`| ${name}=`));
    assert.ok(row?.includes(without.replaceAll('|', '\\|')), name);
  }
});
