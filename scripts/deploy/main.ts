import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { deployProgram } from './deploy-program.ts';

const terminal = processTerminal();
process.exitCode = await runProgram(
  (finish) => deployProgram(terminal, finish),
  process.argv.slice(2),
  terminal,
);
