/** Writes the default configuration file of the overlay from the table of keys: `npm run reference`. */
import { writeFile } from 'node:fs/promises';
import { defaultFile } from '../agent/config/reference.ts';

const target = 'sysroot-overlay/system/opt/oh-edge-agent/agent.default.yaml';
await writeFile(target, defaultFile());
console.log(`${target} written`);
