import { runProgram } from '../terminal/program.ts';
import { processTerminal } from '../terminal/terminal.ts';
import { partsProgram } from './parts-program.ts';
import { terminalProgress } from './progress.ts';

const terminal = processTerminal();
const progress = terminalProgress(process.stderr, () => performance.now());
process.exitCode = await runProgram(
  (finish) => partsProgram({ terminal, progress }, finish),
  process.argv.slice(2),
  terminal,
);
