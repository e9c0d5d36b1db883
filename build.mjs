// Bundles the daemon and the command line, each into one file without node_modules.
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

/** Bundle limit in bytes: the file is read and parsed on every start of a small board. */
const limit = 1_500_000;

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
    sourcemap: 'linked',
    legalComments: 'none',
    define: { __VERSION__: JSON.stringify(version) },
    logLevel: 'warning',
  });
  const { size } = await stat(`dist/${name}.js`);
  if (size > limit) throw new Error(`Cannot accept dist/${name}.js: ${size} bytes, want at most ${limit}`);
  console.log(`dist/${name}.js  ${size} bytes`);
}
