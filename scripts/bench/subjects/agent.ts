import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { end, eventually, launch } from '../launch.ts';
import { childrenOf } from '../processes.ts';
import { UnitSet } from '../unit-set.ts';
import { logFileBytes, logFiles } from './log-limits.ts';
import type { Running, Subject } from './subject.ts';

/** The built agent and how the board starts it. */
export interface AgentProduct {
  readonly node: string;
  /** Options of Node, those of launch.sh. */
  readonly flags: readonly string[];
  /** What launch.sh runs the bundle with: it brings the compiled code of an earlier start along. */
  readonly starter: string;
  readonly bundle: string;
  readonly commandLine: string;
  /** Folder of the compiled code that an earlier start kept, as on every board that was on before; absent: a first start ever. */
  readonly kept?: string;
}

/** The agent at work; `socketPath` is its API. */
export interface RunningAgent extends Running {
  readonly pid: number;
  readonly socketPath: string;
}

/** The program's compiled code in the agent's state, kept last; that of what stands behind the program has longer names. */
const codeFile = 'compiled-code';

/** Configuration for a developer's machine: root and routes left alone, no dockerd, only the given units. */
const base = {
  'prep.root': 'host',
  'routes.enabled': false,
  'dockerd.enabled': false,
  'log.fileBytes': logFileBytes,
  'log.files': logFiles,
};

/** Options that launch.sh gives to Node, read from it so that both never differ. */
export function launchFlags(): readonly string[] {
  const text = readFileSync('sysroot-overlay/system/opt/oh-edge-agent/launch.sh', 'utf8');
  return (/^\s*node_flags="([^"]*)"/m.exec(text)?.[1] ?? '').split(/\s+/).filter((flag) => flag !== '');
}

/** The agent as a supervisor beside the others; `config` replaces keys of its configuration. */
export function agentSubject(product: AgentProduct, config: Readonly<Record<string, unknown>> = {}): Subject {
  return {
    name: 'agent',
    isCapturing: true,
    start: async (dir, units) => startAgent(product, dir, units, config),
  };
}

/** Starts the agent in a folder of its own; a second start in the same folder finds the first one's state. */
export function startAgent(
  product: AgentProduct,
  dir: string,
  units: UnitSet,
  config: Readonly<Record<string, unknown>> = {},
): RunningAgent {
  const home = path.join(dir, 'home');
  mkdirSync(path.join(dir, 'product'), { recursive: true });
  for (const folder of ['run', 'log', 'state']) mkdirSync(path.join(home, folder), { recursive: true });
  const state = path.join(home, 'state');
  if (product.kept !== undefined && !existsSync(path.join(state, codeFile))) {
    cpSync(product.kept, state, { recursive: true });
  }
  const declared = Object.fromEntries(units.names.map((name) => [name, { argv: [units.script(name)] }]));
  const file = path.join(dir, 'agent.yaml');
  writeFileSync(file, stringify({ ...base, units: declared, ...config }));
  const child = launch(dir, [...agentArgv(product, dir), '--config', file]);
  const pid = child.pid ?? 0;
  const socketPath = path.join(home, 'run/agent.sock');
  return {
    pid,
    socketPath,
    supervisors: () => {
      const known = units.pids();
      return [pid, ...childrenOf([pid]).filter((child) => !known.includes(child))];
    },
    statusCommand: { argv: [product.node, product.commandLine, '--socket', socketPath, 'status'] },
    logDir: path.join(home, 'log'),
    stop: async () => end(pid, 'SIGTERM', 10_000),
  };
}

function agentArgv(product: AgentProduct, dir: string): [string, ...string[]] {
  const { node, flags, starter, bundle } = product;
  const places = ['--home', path.join(dir, 'home'), '--product', path.join(dir, 'product')];
  return [node, ...flags, starter, bundle, ...places];
}

/** Lets an agent run until it has kept its compiled code, once for all benchmarks; hands the copy to `use`. */
export async function withKeptCode<T>(
  product: AgentProduct,
  use: (product: AgentProduct) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'kept-'));
  try {
    const units = new UnitSet(path.join(dir, 'units'), []);
    const running = startAgent(product, dir, units);
    const state = path.join(dir, 'home/state');
    const isKept = await eventually(() => existsSync(path.join(state, codeFile)), 60_000, 100);
    await running.stop();
    units.close();
    const kept = path.join(dir, 'kept');
    mkdirSync(kept);
    for (const name of readdirSync(state).filter((file) => file.startsWith(codeFile)))
      cpSync(path.join(state, name), path.join(kept, name));
    return await use(isKept ? { ...product, kept } : product);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
