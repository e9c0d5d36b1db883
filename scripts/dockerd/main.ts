// Tries the supervision on a real dockerd in namespaces of its own: kills, stops, ruined files, stale leftovers. Takes some
// minutes, root and cgroup version 1. Usage: npx tsx scripts/dockerd/main.ts DIRECTORY   (with dockerd, containerd, runc, docker)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../..');
const programs = path.join(root, 'test/programs');

function refusal(binDir: string | undefined): string | undefined {
  if (binDir === undefined) return 'Usage: npx tsx scripts/dockerd/main.ts DIRECTORY_WITH_DOCKERD';
  if (process.getuid?.() !== 0)
    return 'Cannot try dockerd: this needs root for its namespaces; run it with sudo';
  const missing = ['dockerd', 'containerd', 'runc', 'docker'].find(
    (name) => !existsSync(`${binDir}/${name}`),
  );
  if (missing !== undefined) return `Cannot try dockerd: "${binDir}/${missing}" does not exist`;
  if (existsSync('/bin/busybox')) return undefined;
  return 'Cannot try dockerd: it needs /bin/busybox; run apt-get install busybox-static';
}

async function buildPrograms(outdir: string): Promise<void> {
  const banner = {
    js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
  };
  await build({
    entryPoints: ['dockerd-trials.ts', 'dockerd-agent.ts'].map((name) => path.join(programs, name)),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner,
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  });
}

async function run(binDir: string): Promise<number> {
  const directory = mkdtempSync(path.join(tmpdir(), 'dockerd-trials-'));
  try {
    await buildPrograms(directory);
    const namespace = ['-m', '-n', '-p', '--fork', '--kill-child', 'sh', `${programs}/dockerd-namespace.sh`];
    const trials = [process.execPath, `${directory}/dockerd-trials.mjs`];
    const args = [`${directory}/home`, path.resolve(binDir), `${directory}/dockerd-agent.mjs`];
    const child = spawn('unshare', [...namespace, ...trials, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let failed = 0;
    let passed = 0;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { trial, ok, ms, detail } = JSON.parse(line) as {
        trial: string;
        ok: boolean;
        ms: number;
        detail?: string;
      };
      console.log(
        `${ok ? 'ok    ' : 'FAILED'} ${trial} (${(ms / 1000).toFixed(1)} s)${detail === undefined ? '' : `\n       ${detail}`}`,
      );
      if (ok) passed += 1;
      else failed += 1;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    console.log(`${passed} trials passed, ${failed} failed`);
    return failed === 0 && passed > 0 && code === 0 ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const [binDir] = process.argv.slice(2);
const refused = refusal(binDir);
if (refused !== undefined) console.error(refused);
process.exitCode = refused !== undefined || binDir === undefined ? 2 : await run(binDir);
