// What the launcher runs: `node start.js AGENT.JS [OPTION]…` runs that file with the code that V8 made of it at an earlier start.
// Apart from it because Node compiles the file that it runs before that can say anything.
import { homeDir } from './core/constants.ts';
import { loadCode } from './host/compiled-code.ts';
import { withOwnSettings } from './host/own-pace.ts';

/** Milliseconds after which a start is over: what is compiled by then is what the next start needs. */
const settledMs = 15_000;

process.argv.splice(1, 1);
const [, file = '', ...options] = process.argv;
const at = options.indexOf('--home');
const home = at === -1 ? homeDir : (options[at + 1] ?? homeDir);
const code = loadCode({ code: file, compiled: `${home}/state/compiled-code` });
const given = { exports: {}, require, module: { exports: {} }, __filename: file, __dirname };
Object.assign(globalThis, given);
code.run();
for (const name of Object.keys(given)) Reflect.deleteProperty(globalThis, name);

setTimeout(() => void withOwnSettings(() => code.keep()), settledMs).unref();
