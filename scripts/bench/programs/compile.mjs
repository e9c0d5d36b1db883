// Prints the milliseconds that V8 takes to compile an ES module file. Usage: node --experimental-vm-modules compile.mjs FILE
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const text = readFileSync(process.argv[2], 'utf8');
const startedMs = performance.now();
new vm.SourceTextModule(text);
console.log(performance.now() - startedMs);
