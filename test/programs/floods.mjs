// Writes argv[2] bytes of numbered lines to standard output as fast as it is taken, waiting for the pipe, then exits 0.
import { writeSync } from 'node:fs';

const wanted = Number(process.argv[2] ?? 0);
let written = 0;
let line = 0;
while (written < wanted) {
  let block = '';
  while (block.length < 65_536) {
    line += 1;
    block += `line ${String(line).padStart(9, '0')} ${'x'.repeat(60)}\n`;
  }
  written += writeSync(1, block);
}
