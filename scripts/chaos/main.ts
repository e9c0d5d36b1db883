// Breaks things at random and looks whether everything comes back: the shipped agent with a real dockerd and the stand-in for
// edgecore, in mount, network and pid namespaces of their own. The same seed gives the same faults in the same order.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bundleEdgecore, bundleStandIn } from '../../test/standins/bundle.ts';
import { linkPrograms } from '../dockerd/link-programs.ts';
import { namespaceOf } from '../dockerd/namespace.ts';
import { sweepGroups } from '../dockerd/sweep-groups.ts';
import { faultText, plan } from './plan.ts';
import { type ChaosEvent, eventText, type Report } from './report.ts';

const usage = `Usage: npm run chaos -- [--minutes M] [--seed N] [--on host|lab] [--own-containerd] [--docker DIR] [--plan ROUNDS]
  --minutes M   how long new faults are begun (default 2)
  --seed N      which faults, in which order (default: drawn and printed)
  --on host     here, in namespaces (default); lab: in the virtual board, which takes a boot longer
  --own-containerd  containerd as a unit of the agent instead of dockerd's child
  --docker DIR  dockerd, containerd, runc and docker of your own instead of this machine's
  --plan ROUNDS print so many rounds of that seed and do nothing
Exit status: 0 every promise was kept, or skipped with a reason; 1 one was broken; 2 wrong usage or no start.`;

const repository = path.resolve(import.meta.dirname, '../..');
const debian = ['docker.io', 'busybox-static'];
const faketime = '/usr/lib/*/faketime/libfaketimeMT.so.1';
/** The small disk: dockerd with one image and the logs of a run take some 60 MiB of it. */
const diskSize = '256m';

function readOptions() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      on: { type: 'string', default: 'host' },
      docker: { type: 'string' },
      'own-containerd': { type: 'boolean', default: false },
      plan: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0 && minutes <= 1_440))
    throw new TypeError(`--minutes is "${values.minutes}", want more than 0`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new TypeError(`--seed is "${values.seed}", want a whole number`);
  if (values.on !== 'host' && values.on !== 'lab')
    throw new TypeError(`--on is "${values.on}", want host or lab`);
  return { ...values, minutes, seed };
}

/** Why a run is not possible here; undefined where it is. */
function obstacle(docker: string | undefined): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'it needs root on Linux, for namespaces and mounts';
  const packages = docker === undefined ? debian : debian.slice(1);
  const setup = spawnSync(process.execPath, ['scripts/setup.mjs', ...packages], {
    cwd: repository,
    stdio: 'inherit',
  });
  if (setup.status !== 0) return `${packages.join(' and ')} are not installed and may not be`;
  // Without it only the jumps of the clock are left out.
  spawnSync(process.execPath, ['scripts/setup.mjs', 'libfaketime'], { cwd: repository, stdio: 'inherit' });
  const scratch = mkdtempSync(path.join(tmpdir(), 'chaos-try-'));
  const trial = spawnSync('unshare', [
    '-m',
    '-n',
    '-p',
    '--fork',
    'sh',
    '-c',
    'mount -t cgroup -o memory cgroup "$1" && umount "$1"',
    'sh',
    scratch,
  ]);
  rmSync(scratch, { recursive: true });
  return trial.status === 0
    ? undefined
    : `namespaces or cgroup v1 cannot be had: ${String(trial.stderr).trim()}`;
}

async function bundle(directory: string): Promise<void> {
  const banner =
    "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);";
  const shape = {
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  } as const;
  await build({
    ...shape,
    entryPoints: [path.join(import.meta.dirname, 'programs/inside.ts')],
    outfile: `${directory}/inside.mjs`,
    banner: { js: banner },
  });
  await bundleStandIn('cloudhub', `${directory}/standins`);
  await bundleEdgecore(`${directory}/standins`, { node: process.execPath, version: '1.12.1' });
}

function firstMatch(pattern: string): string {
  const found = spawnSync('sh', ['-c', `ls ${pattern} 2>/dev/null`], { encoding: 'utf8' });
  return found.stdout.split('\n')[0] ?? '';
}

async function runOnHost(options: ReturnType<typeof readOptions>): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'chaos-'));
  const log = path.join(repository, 'build', `chaos-${options.seed}.log`);
  mkdirSync(path.dirname(log), { recursive: true });
  writeFileSync(log, '');
  try {
    for (const name of ['home', 'etc', 'agent']) mkdirSync(`${folder}/${name}`);
    linkPrograms(options.docker, `${folder}/bin`);
    await bundle(folder);
    // Whoever builds meanwhile must not change the program under test.
    cpSync(`${repository}/dist`, `${folder}/agent`, { recursive: true });
    const agent = `${folder}/agent/agent.js`;
    const places = {
      home: `${folder}/home`,
      binDir: `${folder}/bin`,
      agent,
      standins: `${folder}/standins`,
      hasOwnContainerd: options['own-containerd'],
      faketime: firstMatch(faketime),
      log,
    };
    const settings = JSON.stringify({ seed: options.seed, minutes: options.minutes, places });
    const namespaces = namespaceOf(path.join(import.meta.dirname, 'namespace.sh'));
    const program = [process.execPath, '--enable-source-maps', `${folder}/inside.mjs`, settings];
    const child = spawn('unshare', [...namespaces, folder, diskSize, ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.on('data', (chunk) => appendFileSync(log, String(chunk)));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill('SIGKILL'));
    let report: Report | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as ChaosEvent;
      if (event.event === 'report') report = event.report;
      console.log(eventText(event));
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (report === undefined) throw new Error(`The run ended with status ${code} and no report; see ${log}`);
    if (report.violations.length === 0) return 0;
    console.log(
      `\nlast events and outputs: ${log}\nrepeat: npm run chaos -- --minutes ${options.minutes} --seed ${options.seed}`,
    );
    return 1;
  } finally {
    sweepGroups();
    rmSync(folder, { recursive: true, force: true });
  }
}

function printPlan(seed: number, rounds: number): number {
  for (const { faults } of plan(seed)) {
    if (rounds-- <= 0) break;
    console.log(faults.map(faultText).join(' + '));
  }
  return 0;
}

function runInLab({ minutes, seed }: ReturnType<typeof readOptions>): number {
  const env = { ...process.env, CHAOS_MINUTES: String(minutes), CHAOS_SEED: String(seed) };
  const lab = spawnSync('npm', ['run', '--silent', 'lab', '--', '--scenario', 'chaos'], {
    cwd: repository,
    stdio: 'inherit',
    env,
  });
  return lab.status === 0 ? 0 : 1;
}

async function run(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(usage);
    return 0;
  }
  const options = readOptions();
  if (options.plan !== undefined) return printPlan(options.seed, Number(options.plan));
  console.log(`chaos: seed ${options.seed}, ${options.minutes} minutes, on the ${options.on}`);
  if (options.on === 'lab') return runInLab(options);
  const why = obstacle(options.docker);
  if (why !== undefined) {
    console.log(`chaos: SKIPPED: ${why}`);
    return 0;
  }
  return runOnHost(options);
}

try {
  process.exitCode = await run();
} catch (error) {
  console.error(`chaos: ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof TypeError) console.error(usage);
  process.exitCode = 2;
}
