// Bundles the daemon and the command line, each into one file without node_modules.
import { mkdir, readFile, stat } from 'node:fs/promises';
import { build } from 'esbuild';

const { version } = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'));

// CommonJS dependencies call require, which an ES module does not have.
const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`;

/** Bundle limit in bytes: the file is read and parsed on every start of a small board. */
const limit = 1_500_000;

const entries = { agent: 'agent/main.ts', agentctl: 'agent/cli/main.ts' };
await mkdir('dist', { recursive: true });
for (const [name, entry] of Object.entries(entries)) {
  await build({
    entryPoints: [entry],
    outfile: `dist/${name}.js`,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    legalComments: 'none',
    define: { __VERSION__: JSON.stringify(version) },
    banner: { js: banner },
    logLevel: 'warning',
  });
  const { size } = await stat(`dist/${name}.js`);
  if (size > limit) throw new Error(`Cannot accept dist/${name}.js: ${size} bytes, want at most ${limit}`);
  console.log(`dist/${name}.js  ${size} bytes`);
}
