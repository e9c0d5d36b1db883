import {
  type Ended,
  type Processes,
  type ProcessFacts,
  type ProcessIdentity,
  type RunningProcess,
  type SpawnResult,
  type SpawnSpec,
  unitMark,
} from '../../agent/core/process.ts';

/** One process of the fake machine. */
export interface FakeProcess {
  readonly pid: number;
  readonly spec: SpawnSpec;
  readonly startTicks: number;
  /** Signals it got, in order. */
  readonly signals: NodeJS.Signals[];
  /** `running`, `stopped` by SIGSTOP, `zombie` or `gone`. */
  state: 'running' | 'stopped' | 'zombie' | 'gone';
  /** What SIGTERM does. SIGKILL always ends it unless it is stuck in the kernel. */
  onTerm: 'ends' | 'ignores';
  isStuck: boolean;
  parentPid: number;
}

/**
 * A machine full of processes. Several agents, one after the other, can be given the same one, so adoption is tested for
 * real; a process that an earlier agent started ends with an unknown status for the next.
 */
export class FakeProcesses implements Processes {
  readonly all: FakeProcess[] = [];
  bootId = 'boot-1';
  /** errno word of the next spawns; undefined lets them run. */
  refusal: string | undefined;
  /** How new processes take SIGTERM. */
  onTerm: FakeProcess['onTerm'] = 'ends';
  readonly #waiting = new Map<number, ((ended: Ended) => void)[]>();
  #nextPid = 100;
  #spawnGate: Promise<void> | undefined;

  /** Living processes, oldest first. */
  get living(): readonly FakeProcess[] {
    return this.all.filter((process) => process.state === 'running' || process.state === 'stopped');
  }

  /** Lets the next spawns wait until they are released. */
  holdSpawn(): { readonly release: () => void } {
    let release = (): void => undefined;
    this.#spawnGate = new Promise((resolve) => {
      release = resolve;
    });
    return { release };
  }

  async spawn(spec: SpawnSpec): Promise<SpawnResult> {
    await this.#spawnGate;
    if (this.refusal !== undefined) return { ok: false, errno: this.refusal };
    const process = this.add(spec);
    return { ok: true, process: this.#running(process, false) };
  }

  /** Puts a process on the machine that no agent started. */
  add(spec: Pick<SpawnSpec, 'argv'> & Partial<SpawnSpec>): FakeProcess {
    const whole: SpawnSpec = { env: {}, cwd: '/', output: { out: 1, err: 2 }, ...spec };
    const pid = this.#nextPid;
    this.#nextPid += 1;
    const process: FakeProcess = {
      pid,
      spec: whole,
      startTicks: pid * 10,
      signals: [],
      state: 'running',
      onTerm: this.onTerm,
      isStuck: false,
      parentPid: 1,
    };
    this.all.push(process);
    return process;
  }

  /** Ends a process. Its own agent learns how; an agent that adopted it does not. */
  end(pid: number, ended: Ended): void {
    const process = this.all.find((other) => other.pid === pid);
    if (process === undefined || !this.living.includes(process)) return;
    process.state = 'gone';
    for (const tell of this.#waiting.get(pid) ?? []) tell(ended);
    this.#waiting.delete(pid);
  }

  adopt(identity: ProcessIdentity): Promise<RunningProcess | undefined> {
    const process = this.living.find((other) => other.pid === identity.pid);
    const isSame = process?.startTicks === identity.startTicks && identity.bootId === this.bootId;
    return Promise.resolve(process !== undefined && isSame ? this.#running(process, true) : undefined);
  }

  facts(pid: number): Promise<ProcessFacts | undefined> {
    const process = this.all.find((other) => other.pid === pid && other.state !== 'gone');
    return Promise.resolve(process === undefined ? undefined : factsOf(process));
  }

  findByProgram(paths: readonly string[]): Promise<readonly ProcessFacts[]> {
    const found = this.living.filter((one) => paths.includes(one.spec.argv[0]));
    return Promise.resolve(found.map((one) => ({ ...factsOf(one), unit: one.spec.env[unitMark] })));
  }

  childrenOf(pid: number): Promise<readonly ProcessFacts[]> {
    return Promise.resolve(this.living.filter((one) => one.parentPid === pid).map(factsOf));
  }

  signal(target: Pick<ProcessIdentity, 'pid' | 'startTicks'>, signal: NodeJS.Signals): Promise<boolean> {
    const process = this.living.find((one) => one.pid === target.pid && one.startTicks === target.startTicks);
    if (process !== undefined) this.#deliver(process, signal);
    return Promise.resolve(process !== undefined);
  }

  identify(facts: ProcessFacts, exe: string): Promise<ProcessIdentity> {
    return Promise.resolve({ pid: facts.pid, startTicks: facts.startTicks, bootId: this.bootId, exe });
  }

  describe(pid: number): Promise<readonly string[]> {
    const process = this.all.find((other) => other.pid === pid);
    return Promise.resolve([`State: ${process?.state === 'stopped' ? 'T (stopped)' : 'S (sleeping)'}`]);
  }

  #running(process: FakeProcess, isAdopted: boolean): RunningProcess {
    const { pid, startTicks, spec } = process;
    const ended = new Promise<Ended>((resolve) => {
      const tell = (how: Ended): void => resolve(isAdopted ? { how: 'unknown' } : how);
      this.#waiting.set(pid, [...(this.#waiting.get(pid) ?? []), tell]);
    });
    return {
      identity: { pid, startTicks, bootId: this.bootId, exe: spec.argv[0] },
      isAdopted,
      ended,
      signal: (signal) => {
        if (!this.living.includes(process)) return false;
        this.#deliver(process, signal);
        return true;
      },
    };
  }

  #deliver(process: FakeProcess, signal: NodeJS.Signals): void {
    process.signals.push(signal);
    if (signal === 'SIGKILL' && !process.isStuck) this.end(process.pid, { how: 'signalled', signal });
    if (signal === 'SIGSTOP') process.state = 'stopped';
    if (signal === 'SIGCONT' && process.state === 'stopped') process.state = 'running';
    const hasTerm = process.signals.includes('SIGTERM') && process.onTerm === 'ends';
    if (hasTerm && process.state === 'running') this.end(process.pid, { how: 'exited', code: 0 });
  }
}

function factsOf(process: FakeProcess): ProcessFacts {
  const { pid, startTicks, spec, parentPid } = process;
  const state = { running: 'S', stopped: 'T', zombie: 'Z', gone: 'X' }[process.state];
  const name = spec.argv[0].slice(spec.argv[0].lastIndexOf('/') + 1);
  return {
    pid,
    parentPid,
    state,
    startTicks,
    exe: state === 'Z' ? undefined : spec.argv[0],
    name,
    argv: spec.argv,
  };
}
