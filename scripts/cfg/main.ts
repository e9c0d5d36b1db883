import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { cfgProgram } from './cfg-program.ts';

const terminal = processTerminal();
process.exitCode = await runProgram(
  (finish) => cfgProgram(terminal, finish),
  process.argv.slice(2),
  terminal,
);
