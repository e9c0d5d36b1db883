// Runs the ground work on the real kernel inside namespaces of its own, on a root shaped like OpenHarmony's: read-only,
// with its entries and links only. Started by `unshare -m -n`; answers one JSON line per JSON line.
// Usage: node ground-rig.mjs image|stock|host BUSYBOX DIRECTORY
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import type { Commands } from '../../agent/core/commands.ts';
import { homeDir, productDir } from '../../agent/core/constants.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HostGroundExecutor } from '../../agent/host/ground-executor.ts';
import { HostGroundObserver } from '../../agent/host/ground-observer.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { GroundWork } from '../../agent/prep/ground-work.ts';
import type { GroundSettings } from '../../agent/prep/settings.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const [layout = '', hostBusybox = '', directory = ''] = process.argv.slice(2);
const busybox = `${productDir}/bin/busybox`;
const settings: GroundSettings = {
  root: layout === 'host' ? 'host' : 'auto',
  cgroup: 'auto',
  intervalMs: 200,
  dns: [],
  routes: { isEnabled: true, subnets: [], priority: 8500 },
  home: homeDir,
  dataRoot: `${homeDir}/docker`,
  productDir,
  binDir: `${productDir}/docker`,
};

buildRoot();
const clock = new SystemClock();
const log = new QuietLog();
let toolRuns = 0;
let board = new HealthBoard(clock);
let work = newWork(settings);
const never = new AbortController().signal;

interface Request {
  readonly do: string;
  readonly argv?: readonly string[];
  readonly path?: string;
  readonly repairs?: number;
  readonly count?: number;
  readonly settings?: Partial<GroundSettings>;
}

const acts: Readonly<Record<string, (request: Request) => unknown>> = {
  start: () => work.start(never),
  stop: () => work.stop(),
  renew: (request) => {
    board = new HealthBoard(clock);
    work = newWork({ ...settings, ...request.settings });
  },
  status: () => work.status(),
  plan: () => work.plan(never),
  apply: () => work.applyNow(),
  undo: () => work.undo(),
  conditions: () => board.conditions(),
  log: () => log.lines,
  tool: ({ argv = [] }) => tool(busybox, ...argv),
  read: ({ path = '' }) => (existsSync(path) ? readFileSync(path, 'utf8') : null),
  list: ({ path = '' }) => readdirSync(path),
  tools: () => toolRuns,
  turns: ({ count = 0 }) => clock.sleep(count * settings.intervalMs, never),
  repaired: ({ repairs = 0 }) => untilRepairs(repairs),
};

console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  try {
    const value = await acts[request.do]?.(request);
    console.log(JSON.stringify({ value: value ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
process.exit(0);

function newWork(chosen: GroundSettings): GroundWork {
  const runner = new ToolRunner({});
  const tools: Commands = {
    run: (argv, options) => {
      toolRuns += 1;
      return runner.run(argv, options);
    },
  };
  return new GroundWork({
    settings: chosen,
    observer: new HostGroundObserver(tools, busybox, `${homeDir}/run`),
    executor: new HostGroundExecutor(tools, busybox),
    board,
    log,
    clock,
    files: new FileStore(),
  });
}

async function untilRepairs(count: number): Promise<number> {
  const startedMs = performance.now();
  while (work.status().repairs < count) await clock.sleep(10, AbortSignal.timeout(20_000));
  return performance.now() - startedMs;
}

function tool(
  file: string,
  ...args: readonly string[]
): { code: number | null; stdout: string; stderr: string } {
  const ended = spawnSync(file, args, { encoding: 'utf8', env: {} });
  return { code: ended.status, stdout: ended.stdout ?? '', stderr: ended.stderr ?? String(ended.error) };
}

function must(...args: readonly string[]): void {
  const ended = tool(hostBusybox, ...args);
  if (ended.code !== 0) throw new Error(`busybox ${args.join(' ')}: ${ended.code} ${ended.stderr}`);
}

/** Root entries as build_image.py of OpenHarmony's build makes them; `image` adds the mount points of our overlay. */
function buildRoot(): void {
  must('mount', '-t', 'tmpfs', 'rig', directory);
  process.chdir(directory);
  for (const name of [
    'config',
    'dev',
    'proc',
    'sys',
    'system',
    'vendor',
    'data',
    'storage',
    'mnt',
    'tmp',
    'old',
  ]) {
    mkdirSync(name);
  }
  for (const name of ['bin', 'etc', 'lib']) {
    mkdirSync(`system/${name}`);
    symlinkSync(`/system/${name}`, name);
  }
  const product = `.${productDir}/bin`;
  mkdirSync(product, { recursive: true });
  copyFileSync(hostBusybox, `${product}/busybox`);
  writeFileSync('system/etc/passwd', 'root:x:0:0:::/bin/false\n');
  writeFileSync('system/etc/resolv.conf', 'nameserver 114.114.114.114\n');
  if (layout !== 'stock') {
    for (const name of ['run', 'var', 'opt', 'usr', 'root']) mkdirSync(name);
    for (const name of ['docker', 'cni/net.d', 'kubeedge'])
      mkdirSync(`system/etc/${name}`, { recursive: true });
    writeFileSync('system/etc/machine-id', '');
  }
  must('mount', '-o', 'rbind', '/dev', 'dev');
  must('mount', '-t', 'proc', 'proc', 'proc');
  must('mount', '-t', 'sysfs', 'sysfs', 'sys');
  must('mount', '-t', 'tmpfs', '-o', 'nosuid,nodev', 'data', 'data');
  must('mount', '-t', 'tmpfs', '-o', 'nosuid', 'mnt', 'mnt');
  if (layout !== 'host') must('mount', '-o', 'remount,ro,bind', directory);
  must('pivot_root', '.', 'old');
  process.chdir('/');
  const ended = tool(busybox, 'umount', '-l', '/old');
  if (ended.code !== 0) throw new Error(`umount: ${ended.stderr}`);
}
