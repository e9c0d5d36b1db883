/** Writes what is made from tables, so that it cannot go stale: the default configuration file and a page of docs/. */
import { writeFile } from 'node:fs/promises';
import { defaultFile } from '../agent/config/reference.ts';
import { optionsPage, optionsPageFile } from './kconfig/options-page.ts';
import { newProgram, runHere } from './terminal/program.ts';

const examples = `
Examples:
  npm run reference     after a change of the keys of the configuration or of the kernel options`;

await runHere((terminal, finish) =>
  newProgram('reference', 'Writes the files that are made from tables anew.', terminal)
    .addHelpText('after', examples)
    .action(async () => {
      const written = {
        'sysroot-overlay/system/opt/oh-edge-agent/agent.default.yaml': defaultFile(),
        [optionsPageFile]: optionsPage(),
      };
      for (const [target, text] of Object.entries(written)) {
        await writeFile(target, text);
        terminal.out(`${target} written`);
      }
      finish(0);
    }),
);
