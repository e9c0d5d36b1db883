// What the launcher runs: `node start.js AGENT.JS [OPTION]…` runs that file with the code that V8 made of it at an earlier start.
// Apart from it because Node compiles the file that it runs before that can say anything.
import { setFlagsFromString } from 'node:v8';
import { homeDir, startedAnew } from './core/constants.ts';
import { loadCode } from './host/compiled-code.ts';

/** Milliseconds after which a start is over: what is compiled by then is what the next start needs. */
const settledMs = 15_000;

process.argv.splice(1, 1);
const [, file = '', ...options] = process.argv;
if (file === '') {
  console.error('start.js: no program is named; run `node start.js AGENT.JS [OPTION]…`, as launch.sh does');
  process.exit(2);
}
const at = options.indexOf('--home');
const home = at === -1 ? homeDir : (options[at + 1] ?? homeDir);
const code = loadCode({ code: file, compiled: `${home}/state/compiled-code` });
const [late, __packages] = code.behind;

/** Without its second half an agent would answer and do nothing else, for good: init starts it again, and reads again. */
function __late(...needs: readonly unknown[]): unknown {
  try {
    return late?.(...needs);
  } catch (error) {
    console.error(`start.js: cannot read the rest of ${file}: ${String(error)}`);
    process.exit(startedAnew);
  }
}

const given = {
  exports: {},
  require,
  module: { exports: {} },
  __filename: file,
  __dirname,
  __late,
  __packages,
};
Object.assign(globalThis, given);
code.run();
for (const name of Object.keys(given)) Reflect.deleteProperty(globalThis, name);

/** Resident bytes above which memory counts more than time; an idle agent has less. */
const muchBytes = 66_000_000;
const lookMs = 120_000;

/**
 * Once it has grown, V8 gives memory back sooner: 300,000 requests end at 75 MB instead of 100. Not from the start,
 * because a large collection reads 5 MB of V8's own code into memory that an idle agent never needs; and not as an option of
 * Node, because V8 refuses all code that was compiled with other options, Node's own and ours.
 */
function restrainGrowth(): void {
  const timer = setInterval(() => {
    if (process.memoryUsage.rss() < muchBytes) return;
    setFlagsFromString('--optimize-for-size');
    clearInterval(timer);
  }, lookMs).unref();
}

setTimeout(() => void code.keep().then(restrainGrowth), settledMs).unref();
