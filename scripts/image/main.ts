import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { imageProgram } from './image-program.ts';

const terminal = processTerminal();
const context = {
  terminal,
  repository: process.cwd(),
  sourceDate: process.env['SOURCE_DATE_EPOCH'],
  isRoot: process.getuid?.() === 0,
};
process.exitCode = await runProgram(
  (finish) => imageProgram(context, finish),
  process.argv.slice(2),
  terminal,
);
