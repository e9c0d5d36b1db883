/** Writes what is made from tables, so that it cannot go stale: the default configuration file and a page of docs/. */
import { writeFile } from 'node:fs/promises';
import { defaultFile } from '../agent/config/reference.ts';
import { optionsPage, optionsPageFile } from './kconfig/options-page.ts';

const written = {
  'sysroot-overlay/system/opt/oh-edge-agent/agent.default.yaml': defaultFile(),
  [optionsPageFile]: optionsPage(),
};

for (const [target, text] of Object.entries(written)) {
  await writeFile(target, text);
  console.log(`${target} written`);
}
