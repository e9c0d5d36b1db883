// Bundles the daemon and the command line, each into one file without node_modules.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { build, transform } from 'esbuild';

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
      if (code !== undefined && map !== undefined) await writeCompact(code.path, lazy(code.text), map.text);
    });
  },
};

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
  await writeFile(path, `${compact.code}//# sourceMappingURL=${name}.map\n`);
  await writeFile(`${path}.map`, compact.map);
}

function lazy(text) {
  const later = text
    .replaceAll(requiredImport, '$1$2 = __later(() => $3);')
    // `new x().Y()` would make an x: the call has to stand in parentheses of its own there.
    .replaceAll(/\bnew (import_\w+)(?=\.)/g, 'new ($1())')
    .replaceAll(/\bimport_\w+(?=\.)/g, '$&()');
  const missed = /\bimport_\w+(?!\w|\(\)|;| = __later).{0,40}/.exec(later.replaceAll(declaration, ''));
  if (missed !== null) throw new Error(`Cannot load a module later: "${missed[0]}" is in no known form`);
  return later;
}

const entries = { agent: 'agent/main.ts', agentctl: 'agent/cli/main.ts' };
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
    banner: { js: 'const __later = (load) => { let module; return () => (module ??= load()); };' },
    plugins: [lazyImports],
    write: false,
    logLevel: 'warning',
  });
  const { size } = await stat(`dist/${name}.js`);
  if (size > limit) throw new Error(`Cannot accept dist/${name}.js: ${size} bytes, want at most ${limit}`);
  console.log(`dist/${name}.js  ${size} bytes`);
}
