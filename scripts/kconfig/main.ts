import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { kconfigProgram } from './kconfig-program.ts';

const terminal = processTerminal();
process.exitCode = await runProgram(
  (finish) => kconfigProgram(terminal, finish),
  process.argv.slice(2),
  terminal,
);
