// Breaks things at random and looks whether everything comes back: the shipped agent with a real dockerd and the stand-in for
// edgecore, in mount, network and pid namespaces of their own. The same seed gives the same faults in the same order.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Option } from 'commander';
import { build } from 'esbuild';
import { bundleEdgecore, bundleStandIn } from '../../test/standins/bundle.ts';
import { linkPrograms } from '../dockerd/link-programs.ts';
import { namespaceOf } from '../dockerd/namespace.ts';
import { sweepGroups } from '../dockerd/sweep-groups.ts';
import { newProgram, numberOf, runHere } from '../terminal/program.ts';
import { faultText, plan } from './plan.ts';
import { type ChaosEvent, eventText, type Report } from './report.ts';

const examples = `
Examples:
  npm run chaos -- --minutes 10 --seed 7
  npm run chaos -- --minutes 4 --seed 23 --own-containerd
  npm run chaos -- --seed 7 --plan 20        what these rounds would do
  npm run chaos -- --on lab                  on the virtual board, which takes a boot longer

Exit code: 0 every promise was kept, or skipped with a reason; 1 one was broken; 2 wrong usage or no docker.`;

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly on: 'host' | 'lab';
  readonly docker?: string;
  readonly ownContainerd?: true;
  readonly plan?: number;
}

const repository = path.resolve(import.meta.dirname, '../..');
const debian = ['docker.io', 'busybox-static'];
const faketime = '/usr/lib/*/faketime/libfaketimeMT.so.1';
/** The small disk: dockerd with one image and the logs of a run take some 60 MiB of it. */
const diskSize = '256m';

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

async function runOnHost(options: Options): Promise<number> {
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
      hasOwnContainerd: options.ownContainerd === true,
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

function runInLab({ minutes, seed }: Options): number {
  const env = { ...process.env, CHAOS_MINUTES: String(minutes), CHAOS_SEED: String(seed) };
  const lab = spawnSync('npm', ['run', '--silent', 'lab', '--', '--scenario', 'chaos'], {
    cwd: repository,
    stdio: 'inherit',
    env,
  });
  return lab.status === 0 ? 0 : 1;
}

async function run(options: Options): Promise<number> {
  if (options.plan !== undefined) return printPlan(options.seed, options.plan);
  console.log(`chaos: seed ${options.seed}, ${options.minutes} minutes, on the ${options.on}`);
  if (options.on === 'lab') return runInLab(options);
  const why = obstacle(options.docker);
  if (why !== undefined) {
    console.log(`chaos: SKIPPED: ${why}`);
    return 0;
  }
  return runOnHost(options);
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const minutesOf = numberOf('--minutes', (value) => value > 0 && value <= 1_440, 'minutes of a day');
const seedOf = numberOf('--seed', isCount, 'a whole number');
const roundsOf = numberOf('--plan', isCount, 'a whole number');

await runHere((terminal, finish) =>
  newProgram('chaos', 'Breaks things at random and looks whether everything comes back.', terminal)
    .option('--minutes <m>', 'how long new faults are begun', minutesOf, 2)
    .option('--seed <n>', 'which faults, in which order (default: drawn and printed)', seedOf)
    .addOption(
      new Option('--on <place>', 'here, in namespaces, or in the virtual board')
        .choices(['host', 'lab'])
        .default('host'),
    )
    .option('--own-containerd', "containerd as a unit of the agent instead of dockerd's child")
    .option('--docker <dir>', "dockerd, containerd, runc and docker of your own instead of this machine's")
    .option('--plan <rounds>', 'print so many rounds of that seed and do nothing', roundsOf)
    .addHelpText('after', examples)
    .action(async (options: Partial<Options> & Pick<Options, 'minutes' | 'on'>) => {
      const seed = options.seed ?? Math.floor(Math.random() * 1_000_000);
      finish(await run({ ...options, seed }));
    }),
);
