// Bundles the daemon, the command line and what starts the daemon, each into one file without node_modules.
import { createHash } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { build, transform } from 'esbuild';
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

/**
 * What esbuild writes for an import of a built-in module or of a CommonJS package, at the top or in a module that is
 * itself loaded later.
 */
const requiredImport =
  /^(var |\s+)(import_\w+) = ((?:__toESM\()?require(?:\("node:[\w/]+"\)|_\w+\(\))(?:(?:, 1)?\))?);$/gm;

/** Declarations without a value, before the assignment inside a module that is loaded later. */
const declaration = /^\s*var [\w, ]*import_\w+[\w, ]*;$/gm;

/**
 * Lets each built-in module and each CommonJS package be loaded when it is first used: the API answers before
 * node:crypto, node:child_process, the YAML parser and others are needed, and a command of agentctl needs few of them.
 * Lines stay where they were, for the source map.
 */
const lazyImports = {
  name: 'lazy-imports',
  setup(builder) {
    builder.onEnd(async ({ outputFiles }) => {
      const of = (ending) => (outputFiles ?? []).find(({ path }) => path.endsWith(ending));
      const [code, map] = [of('.js'), of('.js.map')];
      if (code === undefined || map === undefined) return;
      await writeCompact(code.path, asFunction(lazy(code.text)), map.text);
    });
  },
};

/**
 * Node runs this as any other file, and start.js runs it as a script with the code that V8 compiled at an earlier start: then
 * what Node gives to a module is global for a moment. Lines stay where they were, for the source map.
 */
function asFunction(text) {
  const given = 'exports, require, module, __filename, __dirname';
  return `(function (${given}) {${text}\n})(${given});`;
}

/** Names stay, so that a stack trace can be read; only white space goes: Node keeps the text in memory as long as it runs. */
async function writeCompact(path, text, map) {
  const inline = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`;
  const compact = await transform(`${text}\n${inline}\n`, {
    minifyWhitespace: true,
    sourcemap: 'external',
    sourcefile: path,
    target: 'node20',
  });
  const name = path.slice(path.lastIndexOf('/') + 1);
  // start.js reads it byte by byte: other characters would be torn.
  if (/[^\0-\x7f]/.test(compact.code)) throw new Error(`Cannot accept ${path}: it is not ASCII`);
  const sum = createHash('sha256').update(compact.code).digest('hex');
  const title = `/* oh-edge-agent ${name.replace('.js', '')} ${version} */ // ${sum}`;
  await writeFile(path, `${title}\n${compact.code}//# sourceMappingURL=${name}.map\n`);
  // One line more: in a source map a semicolon is the end of a line.
  await writeFile(`${path}.map`, compact.map.replace('"mappings": "', '$&;'));
}

function lazy(text) {
  const later = text
    .replaceAll(requiredImport, '$1$2 = __later(() => $3);')
    // Of a built-in module only `default` and names are used: that needs no copy of all its names, which reads each of them.
    .replaceAll(/__toESM\((require\("node:[\w/]+"\))(?:, 1)?\)/g, '__builtIn($1)')
    // `new x().Y()` would make an x: the call has to stand in parentheses of its own there.
    .replaceAll(/\bnew (import_\w+)(?=\.)/g, 'new ($1())')
    .replaceAll(/\bimport_\w+(?=\.)/g, '$&()');
  const missed = /\bimport_\w+(?!\w|\(\)|;| = __later).{0,40}/.exec(later.replaceAll(declaration, ''));
  if (missed !== null) throw new Error(`Cannot load a module later: "${missed[0]}" is in no known form`);
  return later;
}

/** Valibot's pattern of emoji: V8 asks ICU for its classes at every start, which takes longer than all our own modules. */
const withoutEmoji = {
  name: 'without-emoji',
  setup(builder) {
    builder.onLoad({ filter: /valibot\/dist\/index\.mjs$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const contents = text.replace(/^const EMOJI_REGEX = .*;$/m, 'const EMOJI_REGEX = void 0;');
      if (contents === text)
        throw new Error('Cannot leave out the pattern of emoji: valibot has it elsewhere now');
      return { contents, loader: 'js' };
    });
  },
};

const entries = { start: 'agent/start.ts', agent: 'agent/main.ts', agentctl: 'agent/cli/main.ts' };
await mkdir('dist', { recursive: true });
await writeFile('dist/package.json', '{ "type": "commonjs" }\n');
for (const [name, entry] of Object.entries(entries)) {
  await build({
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
    banner: {
      js: 'const __later = (load) => { let module; return () => (module ??= load()); }; const __builtIn = (module) => ({ __proto__: module, default: module });',
    },
    plugins: [withoutEmoji, lazyImports],
    write: false,
    logLevel: 'warning',
  });
  const { size } = await stat(`dist/${name}.js`);
  if (size > limit) throw new Error(`Cannot accept dist/${name}.js: ${size} bytes, want at most ${limit}`);
  console.log(`dist/${name}.js  ${size} bytes`);
}
