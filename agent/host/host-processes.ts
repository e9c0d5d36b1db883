import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { AgentError, errnoOf } from '../core/agent-error.ts';
import type { Log } from '../core/log.ts';
import {
  type Ended,
  type Processes,
  type ProcessFacts,
  type ProcessIdentity,
  type RunningProcess,
  type SpawnResult,
  type SpawnSpec,
  unitMark,
} from '../core/process.ts';
import { AdoptedProcesses } from './adopted-process.ts';
import { describeProcess, listPids, readFacts, readProc, readProgram, readStat } from './proc-reader.ts';
import { moveToRootGroups } from './root-groups.ts';

/** Stands for an id that cannot be read just now. */
const unknownBoot = 'unknown';

/**
 * Processes of the machine. A child gets a session of its own and output pipes that it holds open itself, so neither the
 * death of the agent nor a signal to its group reaches it.
 */
export class HostProcesses implements Processes {
  readonly #log: Log;
  readonly #adopted: AdoptedProcesses;
  #bootId: string | undefined;

  /** `directory` takes a small program for a moment; it must allow execution. */
  constructor(log: Log, directory: string) {
    this.#log = log;
    this.#adopted = new AdoptedProcesses(directory);
  }

  async spawn(spec: SpawnSpec): Promise<SpawnResult> {
    // Children are born into the groups of their parent: moving ourselves first leaves no moment in the wrong group.
    if (spec.isInRootGroups === true) this.#moveToRoot('self');
    const [file, ...args] = spec.argv;
    let child: ChildProcess;
    try {
      child = spawn(file, args, {
        env: spec.env,
        cwd: spec.cwd,
        stdio: ['ignore', spec.output.out, spec.output.err],
        detached: true,
      });
    } catch (error) {
      return { ok: false, errno: errnoOf(error) ?? 'unknown' };
    }
    const { pid } = child;
    if (pid === undefined) return refused(child);
    const ended = endOf(child);
    // The kernel keeps at least a zombie until the event loop reaps it, so this reads the right process.
    const startTicks = readStat(pid)?.startTicks ?? 0;
    // Always: it would inherit the agent's own, and so would all containers.
    this.#setOomScore(pid, spec.oomScoreAdj ?? 0);
    if (spec.isInRootGroups === true) this.#moveToRoot(pid);
    child.unref();
    // The kernel's name, not ours: the path may have gone through links, and a script runs as its interpreter.
    const identity = { pid, startTicks, bootId: this.#boot(), exe: readProgram(pid) ?? file };
    return { ok: true, process: new Child(identity, child, ended) };
  }

  async adopt(identity: ProcessIdentity): Promise<RunningProcess | undefined> {
    await Promise.resolve();
    return identity.bootId === this.#knownBoot() ? this.#adopted.adopt(identity) : undefined;
  }

  async facts(pid: number): Promise<ProcessFacts | undefined> {
    const facts = readFacts(pid);
    // Without a free descriptor its files cannot be opened, and taken for gone it would be forgotten.
    if (facts !== undefined || !fs.existsSync(`/proc/${pid}`)) return facts;
    throw new AgentError('FILE_FAILED', `Cannot look at process ${pid}: /proc cannot be read now`);
  }

  findByProgram(paths: readonly string[]): Promise<readonly ProcessFacts[]> {
    const wanted = new Set(paths.map(realPath));
    // Command lines are read only where one of them may name a script: this runs over all processes of the board.
    const hasScript = paths.some(isScript);
    const runs = (pid: number): boolean =>
      wanted.has(readProgram(pid) ?? '') || (hasScript && wanted.has(scriptOf(pid)));
    const found = living(listPids().filter((pid) => pid !== process.pid && runs(pid)));
    return Promise.resolve(found.map(withUnit));
  }

  childrenOf(parent: number): Promise<readonly ProcessFacts[]> {
    const children = listPids().filter((pid) => readStat(pid)?.parentPid === parent);
    return Promise.resolve(living(children));
  }

  signal(target: Pick<ProcessIdentity, 'pid' | 'startTicks'>, signal: NodeJS.Signals): Promise<boolean> {
    const isSame = readStat(target.pid)?.startTicks === target.startTicks;
    return Promise.resolve(isSame && kill(target.pid, signal));
  }

  async identify({ pid, startTicks, exe }: ProcessFacts, path: string): Promise<ProcessIdentity> {
    return { pid, startTicks, bootId: this.#knownBoot(), exe: exe ?? path };
  }

  describe(pid: number): Promise<readonly string[]> {
    return Promise.resolve(describeProcess(pid));
  }

  #boot(): string {
    this.#bootId ??= readProc('/proc/sys/kernel/random/boot_id')?.trim();
    return this.#bootId ?? unknownBoot;
  }

  #knownBoot(): string {
    const bootId = this.#boot();
    if (bootId !== unknownBoot) return bootId;
    throw new AgentError(
      'FILE_FAILED',
      'Cannot tell whose process it is: the id of this boot cannot be read now',
    );
  }

  #moveToRoot(pid: number | 'self'): void {
    const refusals = moveToRootGroups(pid);
    if (refusals.length > 0) this.#log.warn('unit.group-refused', { pid, refusals });
  }

  #setOomScore(pid: number, score: number): void {
    try {
      fs.writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
    } catch (error) {
      this.#log.warn('unit.oom-score-refused', { pid, score, errno: errnoOf(error) });
    }
  }
}

class Child implements RunningProcess {
  readonly identity: ProcessIdentity;
  readonly isAdopted = false;
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(identity: ProcessIdentity, child: ChildProcess, ended: Promise<Ended>) {
    this.identity = identity;
    this.#child = child;
    this.ended = ended;
  }

  /** A child that was not reaped yet keeps its pid, so the number cannot be somebody else's. */
  signal(signal: NodeJS.Signals): boolean {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return false;
    return kill(this.identity.pid, signal);
  }
}

/** The script that an interpreter runs, or empty: it is the first argument that the kernel gives it. */
function scriptOf(pid: number): string {
  const [, script = ''] = (readProc(`/proc/${pid}/cmdline`) ?? '').split('\0');
  return script.startsWith('/') ? realPath(script) : '';
}

/** Arguments and unit are read when they are asked for, see `readFacts`. */
function withUnit(facts: ProcessFacts): ProcessFacts {
  return Object.defineProperty(facts, 'unit', { get: () => unitOf(facts.pid), enumerable: true });
}

/** The mark in the environment that the process was started with. */
function unitOf(pid: number): string | undefined {
  const entries = (readProc(`/proc/${pid}/environ`) ?? '').split('\0');
  return entries.find((entry) => entry.startsWith(`${unitMark}=`))?.slice(unitMark.length + 1);
}

function isScript(file: string): boolean {
  try {
    const descriptor = fs.openSync(file, 'r');
    try {
      const head = Buffer.alloc(2);
      fs.readSync(descriptor, head, 0, head.length, 0);
      return head.toString('latin1') === '#!';
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return false;
  }
}

function living(pids: readonly number[]): readonly ProcessFacts[] {
  return pids
    .map(readFacts)
    .filter((facts) => facts !== undefined)
    .filter(({ state }) => state !== 'Z' && state !== 'X');
}

function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** The path as /proc/PID/exe shows it; the path itself where nothing is there. */
function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      if (signal === null) resolve({ how: 'exited', code: code ?? -1 });
      else resolve({ how: 'signalled', signal });
    });
  });
}

function refused(child: ChildProcess): Promise<SpawnResult> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ ok: false, errno: errnoOf(error) ?? 'unknown' }));
  });
}
