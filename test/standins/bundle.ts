import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`;

/** Options of the edgecore stand-in's directory. */
export interface LauncherOptions {
  /** How the launcher starts Node, e.g. a loader with its arguments and the binary. */
  readonly node: string;
  /** Release that the stand-in says it is. */
  readonly version: string;
}

/** Bundles one stand-in into `<directory>/<name>.js`, a single file for any Node 20; returns its path. */
export async function bundleStandIn(name: 'cloudhub' | 'edgecore', directory: string): Promise<string> {
  const outfile = path.join(directory, `${name}.js`);
  await build({
    entryPoints: [`test/standins/${name}/main.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    legalComments: 'none',
    banner: { js: banner },
    logLevel: 'warning',
  });
  await writeFile(path.join(directory, 'package.json'), '{"type":"module"}\n');
  return outfile;
}

/**
 * Bundles the edgecore stand-in with a launcher `edgecore` and the release's `version` file; returns the launcher. Where
 * Node is one absolute path the launcher names it as its interpreter, so that the process is that program from its first
 * moment on; a shell would be another one until it has handed over.
 */
export async function bundleEdgecore(directory: string, options: LauncherOptions): Promise<string> {
  await mkdir(directory, { recursive: true });
  await bundleStandIn('edgecore', directory);
  const launcher = path.join(directory, 'edgecore');
  const isPath = /^\/\S+$/.test(options.node);
  const script = isPath
    ? `#!${options.node}\n// STAND-IN for edgecore, for tests only.\nawait import('./edgecore.js');\n`
    : `#!/bin/sh\n# STAND-IN for edgecore, for tests only.\nexec ${options.node} "\${0%/*}/edgecore.js" "$@"\n`;
  await writeFile(launcher, script);
  await chmod(launcher, 0o755);
  await writeFile(path.join(directory, 'version'), `v${options.version.replace(/^v/, '')}\n`);
  return launcher;
}
