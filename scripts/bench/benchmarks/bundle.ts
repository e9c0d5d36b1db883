import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import type { Benchmark } from '../benchmark.ts';
import type { Measurement } from '../result.ts';
import { single } from '../statistics.ts';

const kb = 1000;

/** Size of the file that a small board reads and parses on every start. */
export const bundle: Benchmark = {
  name: 'bundle',
  groups: ['bundle'],
  about:
    "size of dist/agent.js, and beside it the sum of what each of its libraries needs when bundled alone with the same options (libraries taken from the bundle's source map)",
  run: async (context) => {
    const { bundle: file } = context.agent;
    const bytes = statSync(file).size;
    const packages = bundledPackages(file);
    let alone = 0;
    for (const name of packages) {
      context.say(`bundle: ${name} alone`);
      alone += await sizeAlone(name);
    }
    return rows(bytes, alone, packages);
  },
};

/** Direct dependencies that are in the bundle, by the source map beside it. */
function bundledPackages(file: string): readonly string[] {
  const { sections } = JSON.parse(readFileSync(`${file}.map`, 'utf8')) as {
    sections: readonly { readonly map: { readonly sources: readonly string[] } }[];
  };
  const sources = sections.flatMap(({ map }) => map.sources);
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object };
  return Object.keys(dependencies).filter((name) =>
    sources.some((source) => source.includes(`node_modules/${name}/`)),
  );
}

async function sizeAlone(name: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as all from '${name}'; globalThis.all = all;`,
      resolveDir: path.resolve('.'),
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles.reduce((sum, { contents }) => sum + contents.byteLength, 0);
}

function rows(bytes: number, alone: number, packages: readonly string[]): readonly Measurement[] {
  const shared = { group: 'bundle', unit: 'kB', summary: single(bytes / kb) };
  return [
    { ...shared, name: 'dist/agent.js', goal: { of: 'value', is: '<', bound: 1500 } },
    {
      ...shared,
      name: 'dist/agent.js beside its libraries',
      reference: { name: packages.join(' + '), summary: single(alone / kb) },
      goal: { of: 'ratio', is: '<', bound: 2 },
    },
  ];
}
