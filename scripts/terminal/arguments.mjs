// Arguments of the programs that run before anything is installed or compiled; the others have program.ts.
import { parseArgs } from 'node:util';

/** Takes the arguments apart. Prints the usage and ends with 0 where it is asked for, ends with 2 where one is unknown. */
export function readArguments(name, usage, options = {}) {
  const help = { help: { type: 'boolean' } };
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { ...options, ...help } });
    if (values.help !== true) return { values, positionals };
    console.log(usage);
    process.exit(0);
  } catch (error) {
    refuse(name, error.message.split('. ')[0]);
  }
}

/** Ends with the code of wrong usage. */
export function refuse(name, problem) {
  console.error(`${name}: ${problem}; see --help`);
  process.exit(2);
}
