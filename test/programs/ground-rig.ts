// Runs the ground work on the real kernel inside namespaces of its own, on a root shaped like OpenHarmony's: read-only,
// with its entries and links only. Started by `unshare -m -n`; answers one JSON line per JSON line.
// Usage: node ground-rig.mjs image|stock|host BUSYBOX DIRECTORY
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
import { type BoardRoot, enterBoardRoot, tool } from './board-root.ts';

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
  busybox,
};

enterBoardRoot({ layout: layout as BoardRoot['layout'], busybox: hostBusybox, directory });
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
