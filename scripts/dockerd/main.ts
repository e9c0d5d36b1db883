// Tries the supervision on a real dockerd in namespaces of its own: kills, stops, ruined files, stale leftovers. Takes some
// minutes, root and cgroup version 1.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { AgentError } from '../../agent/core/agent-error.ts';
import { newProgram, runHere } from '../terminal/program.ts';
import { linkPrograms } from './link-programs.ts';
import { namespaceOf } from './namespace.ts';
import { sweepGroups } from './sweep-groups.ts';

const root = path.resolve(import.meta.dirname, '../..');
const programs = path.join(root, 'test/programs');

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

async function run(given: string | undefined): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new AgentError('USAGE', 'Cannot try dockerd: this needs root for its namespaces; use sudo');
  if (!existsSync('/bin/busybox'))
    throw new AgentError('USAGE', 'Cannot try dockerd: run apt-get install busybox-static first');
  const directory = mkdtempSync(path.join(tmpdir(), 'dockerd-trials-'));
  try {
    linkPrograms(given, `${directory}/bin`);
    await buildPrograms(directory);
    const namespace = namespaceOf(`${programs}/dockerd-namespace.sh`);
    const trials = [process.execPath, `${directory}/dockerd-trials.mjs`];
    const args = [`${directory}/home`, `${directory}/bin`, `${directory}/dockerd-agent.mjs`];
    const child = spawn('unshare', [...namespace, ...trials, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const results: Result[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => {
      const result = JSON.parse(line) as Result;
      results.push(result);
      console.log(describe(result));
    });
    const [code] = (await once(child, 'close')) as [number | null];
    const passed = results.filter(({ ok }) => ok).length;
    console.log(`${passed} of ${results.length} trials passed`);
    return passed > 0 && passed === results.length && code === 0 ? 0 : 1;
  } finally {
    sweepGroups();
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Result {
  readonly trial: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly detail?: string;
}

function describe({ trial, ok, ms, detail }: Result): string {
  const head = `${ok ? 'ok    ' : 'FAILED'} ${trial} (${(ms / 1000).toFixed(1)} s)`;
  return detail === undefined ? head : `${head}\n       ${detail}`;
}

const examples = `
Examples:
  npm run trials
  npm run trials -- build/docker-29     # dockerd, containerd, runc and docker of your own

Exit code: 0 all passed, 1 one failed, 2 wrong usage, no root or no docker.`;

await runHere((terminal, finish) =>
  newProgram(
    'trials',
    'Tries one recovery after the other on a real dockerd, in namespaces of its own.',
    terminal,
  )
    .argument('[directory]', "programs to try instead of this machine's")
    .addHelpText('after', examples)
    .action(async (given: string | undefined) => finish(await run(given))),
);
