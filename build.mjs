// Bundles the daemon, the command line and what starts the daemon, each into one file without node_modules.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { asRooms } from './scripts/bundle/as-rooms.mjs';
import { lazyBanner } from './scripts/bundle/lazy-imports.mjs';
import { usedOfValibot } from './scripts/bundle/used-of-valibot.mjs';
import { writeBundle } from './scripts/bundle/write-bundle.mjs';
import { readArguments, refuse } from './scripts/terminal/arguments.mjs';

const usage = `Usage: npm run build
Bundles the daemon, agentctl and what starts the daemon into dist/.

Example:
  npm run build

Exit code: 0 built, 1 not, 2 wrong usage.`;

const { positionals } = readArguments('build', usage);
if (positionals.length > 0) refuse('build', `"${positionals.join(' ')}" is too much`);

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

/** Bundle limit in bytes: the file is read and parsed on every start of a small board. */
const limit = 1_500_000;

/** What a start runs before the API answers; all else is read later. */
const early = new Set(
  JSON.parse(await readFile(new URL('scripts/bundle/early.json', import.meta.url), 'utf8')),
);
const isLate = (path) => !early.has(path);

const entries = { start: 'agent/start.ts', agent: 'agent/main.ts', agentctl: 'agent/cli/main.ts' };
await mkdir('dist', { recursive: true });
await writeFile('dist/package.json', '{ "type": "commonjs" }\n');
for (const [name, entry] of Object.entries(entries)) {
  const outcome = await build({
    entryPoints: [entry],
    outfile: `dist/${name}.js`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // An import of a built-in module from an ES module reads every export of it, and so loads what is lazy in there: for
    // node:http that is undici, 10 MB of memory and as long as the rest of the start (Node 22). require() does not.
    supported: { 'dynamic-import': false },
    target: 'node20',
    sourcemap: 'external',
    legalComments: 'none',
    loader: { '.html': 'text' },
    // Copies of Node's own streams and timers for browsers and old versions, 290 KB with what they need; the MQTT client
    // asks for them and uses the timers in browsers only.
    alias: { 'readable-stream': 'node:stream', 'worker-timers': 'node:timers' },
    define: { __VERSION__: JSON.stringify(version) },
    banner: { js: lazyBanner },
    plugins: name === 'start' ? [] : [asRooms, usedOfValibot],
    write: false,
    logLevel: 'warning',
  });
  const [text, map] = ['.js', '.js.map'].map(
    (end) => outcome.outputFiles.find(({ path }) => path.endsWith(end)).text,
  );
  await writeBundle({ path: `dist/${name}.js`, text, map, version, ...(name === 'agent' ? { isLate } : {}) });
  const { size } = await stat(`dist/${name}.js`);
  if (size > limit) throw new Error(`Cannot accept dist/${name}.js: ${size} bytes, want at most ${limit}`);
  console.log(`dist/${name}.js  ${size} bytes`);
}
