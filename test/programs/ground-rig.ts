// Runs the ground work on the real kernel inside namespaces of its own, on a root shaped like OpenHarmony's: read-only,
// with its entries and links only. Started by `unshare -m -n`; answers one JSON line per JSON line.
// Usage: node ground-rig.mjs image|stock|host BUSYBOX DIRECTORY
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Commands } from '../../agent/core/commands.ts';
import { homeDir, productDir } from '../../agent/core/constants.ts';
import type { GroundExecutor } from '../../agent/core/ground.ts';
import type { GroundQuestions } from '../../agent/core/ground-observed.ts';
import type { GroundStep } from '../../agent/core/ground-step.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HostGroundExecutor } from '../../agent/host/ground-executor.ts';
import { HostGroundObserver } from '../../agent/host/ground-observer.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { GroundWork } from '../../agent/prep/ground-work.ts';
import type { GroundSettings } from '../../agent/prep/settings.ts';
import { patience } from '../fakes/patience.ts';
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
let stepsLeft = Number.POSITIVE_INFINITY;
const tools = countedTools();
const observer = new HostGroundObserver(tools, busybox, `${homeDir}/run`);
const executor = new HostGroundExecutor(tools, busybox);
let board = new HealthBoard(clock);
let work = newWork(settings);
const never = new AbortController().signal;

interface Request {
  readonly do: string;
  readonly argv?: readonly string[];
  readonly path?: string;
  readonly repairs?: number;
  readonly count?: number;
  readonly step?: unknown;
  readonly questions?: unknown;
  /** Steps that work before every further one fails, as if the agent were gone. */
  readonly dieAfter?: number;
  readonly settings?: Partial<GroundSettings>;
}

const acts: Readonly<Record<string, (request: Request) => unknown>> = {
  start: () => work.start(never),
  stop: () => work.stop(),
  renew: (request) => {
    board = new HealthBoard(clock);
    stepsLeft = request.dieAfter ?? Number.POSITIVE_INFINITY;
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
  execute: ({ step }) => executor.execute(step as GroundStep, never),
  observe: () => {
    observer.forget();
    return observer.observe();
  },
  known: () => observer.observe(),
  hush: () => signalListener('SIGSTOP'),
  facts: ({ questions }) => observer.facts(questions as GroundQuestions),
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

/** The small program that hears the kernel's news: as if it never got its turn on a busy board. */
function signalListener(signal: NodeJS.Signals): void {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const listener = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('netwatch'));
  if (listener === undefined) throw new Error('there is no listener');
  process.kill(Number(listener), signal);
}

function newWork(chosen: GroundSettings): GroundWork {
  const mortal: GroundExecutor = {
    execute: async (step, signal) => {
      if (stepsLeft <= 0) throw new Error('the agent is dead');
      stepsLeft -= 1;
      await executor.execute(step, signal);
    },
  };
  return new GroundWork({
    settings: chosen,
    observer,
    executor: mortal,
    board,
    log,
    clock,
    files: new FileStore(),
  });
}

function countedTools(): Commands {
  const runner = new ToolRunner({});
  return {
    run: (argv, options) => {
      toolRuns += 1;
      return runner.run(argv, options);
    },
  };
}

async function untilRepairs(count: number): Promise<number> {
  const startedMs = performance.now();
  while (work.status().repairs < count) await clock.sleep(10, patience());
  return performance.now() - startedMs;
}
