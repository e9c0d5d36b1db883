import type { UnitStatus } from '../../agent/api/wire.ts';
import { AgentError } from '../../agent/core/agent-error.ts';
import type { CommandResult, Commands } from '../../agent/core/commands.ts';
import type { ElfFacts } from '../../agent/core/elf.ts';
import type { IntakeFacts, IntakeOrder, PartIntake, Taken } from '../../agent/core/part-intake.ts';
import type { ProgramFacts, Programs } from '../../agent/core/program.ts';
import type { ProgramText } from '../../agent/core/program-text.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { decodePartRecord, type PartRecord } from '../../agent/update/part-record.ts';
import type { UpdateUnits } from '../../agent/update/unit-swap.ts';
import { Updater } from '../../agent/update/updater.ts';
import { FakeClock } from './fake-clock.ts';
import { FakePartDisk } from './fake-part-disk.ts';
import { QuietLog } from './quiet-log.ts';

export const home = '/data/agent';
const imagePath = '/system/docker/dockerd';

/** What a file that is handed in holds: names and texts. A program's text is `VERSION HEALTH`. */
type Handed = Readonly<Record<string, string>>;

/** Board on which dockerd can be updated: the disk outlives it, everything else is of one boot or one agent. */
export class UpdateWorld implements PartIntake, Programs, Commands, ProgramText, UpdateUnits {
  readonly machine = 183;
  readonly clock: FakeClock;
  readonly board: HealthBoard;
  readonly log = new QuietLog();
  readonly disk: FakePartDisk;
  readonly handed: Map<string, Handed>;
  readonly updater: Updater;
  readonly units: UnitStatus[];
  restarts = 0;
  /** How often the agent was told to make room for another one. */
  farewells = 0;
  elf: ElfFacts | { readonly problem: string } = staticElf;

  constructor(
    from: Partial<Pick<UpdateWorld, 'disk' | 'handed' | 'units' | 'clock'>> = {},
    boot = 'boot-1',
    launched?: string,
  ) {
    this.clock = from.clock ?? new FakeClock();
    this.board = new HealthBoard(this.clock);
    this.disk = from.disk ?? new FakePartDisk();
    if (from.disk === undefined) {
      this.disk.live.set(imagePath, { kind: 'file', text: '20.10.24 good' });
      this.disk.durable.set(imagePath, { kind: 'file', text: '20.10.24 good' });
    }
    this.handed = from.handed ?? new Map();
    this.units = from.units ?? [];
    const limits = { readyMs: 20_000, stableMs: 2_000, processes: 3, stopMs: 5_000 };
    this.updater = new Updater(
      {
        home,
        bootId: boot,
        launched,
        imagePaths: { dockerd: imagePath, edgecore: '/system/edgecore', agent: '/system/agent.js' },
        limits: { dockerd: limits, edgecore: limits, agent: limits },
        restartAgent: () => {
          this.farewells += 1;
        },
      },
      { ...this.#ports(), units: () => this },
    );
  }

  /** Starts the agent: what was under way is put right, then the unit is started if nobody runs. */
  async begin(): Promise<void> {
    await this.updater.open();
    if (this.units.length === 0) this.#spawn();
    this.updater.start(new AbortController().signal);
  }

  /** Hands a docker archive in. */
  hand(version: string, health = 'good'): string {
    const file = `/data/docker-${version}.tgz`;
    const names = ['dockerd', 'containerd', 'containerd-shim-runc-v2', 'runc'];
    this.handed.set(file, Object.fromEntries(names.map((name) => [name, `${version} ${health}`])));
    return file;
  }

  /** Updates dockerd and lets the time pass that it needs. */
  async update(
    file: string,
    more: { readonly sha256?: string; readonly version?: string; readonly isDryRun?: boolean } = {},
    part = 'dockerd',
  ) {
    const order = { file, isDryRun: false, ...more };
    return this.settled(this.updater.update(part, order, new AbortController().signal));
  }

  /** Lets time pass until something is done. */
  async settled<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const end = work
      .catch(() => undefined)
      .then(() => {
        isDone = true;
      });
    for (let turn = 0; turn < 200 && !isDone; turn += 1) await this.clock.advance(250);
    await end;
    return work;
  }

  /** Version and health of the dockerd that runs now. */
  get running(): string {
    return this.unit.message;
  }

  get unit(): UnitStatus {
    const [unit] = this.units;
    if (unit === undefined) throw new Error('nobody runs');
    return unit;
  }

  setUnit(change: Partial<UnitStatus>): void {
    this.units.splice(0, 1, { ...this.unit, ...change });
  }

  /** Program that whoever starts dockerd now would find. */
  found(): string {
    return this.disk.text(`${home}/parts/dockerd/current/dockerd`) ?? this.disk.text(imagePath) ?? 'nothing';
  }

  record(part = 'dockerd'): PartRecord | undefined {
    return decodePartRecord(this.disk.text(`${home}/parts/${part}/record`) ?? '');
  }

  /** Names of what happened to parts, oldest first. */
  story(): readonly string[] {
    return this.board.eventsAfter(0).flatMap(({ event }) => (event.startsWith('part.') ? [event] : []));
  }

  status(): readonly UnitStatus[] {
    return this.units;
  }

  restartUnit(_name?: string): UnitStatus {
    this.restarts += 1;
    this.#spawn();
    return this.unit;
  }

  #spawn(): void {
    const program = this.found();
    const pid = (this.units[0]?.pid ?? 100) + 1;
    const isGood = program.endsWith('good');
    const facts = isGood
      ? ({ phase: 'ready', reason: 'Ready', pid } as const)
      : ({ phase: 'failed', reason: 'CrashLoop' } as const);
    this.units.splice(0, 1, {
      name: 'dockerd',
      wanted: 'up',
      message: program,
      sinceMs: 0,
      failures: 0,
      starts: 1,
      ...facts,
      lastEnd: { atMs: 0, how: 'exited 1', lines: [`${program} says why`] },
    });
  }

  look(file: string): Promise<IntakeFacts> {
    const bytes = Object.values(this.handed.get(file) ?? {}).join('').length;
    return Promise.resolve({ bytes, claimedBytes: bytes });
  }

  async take({ file, folder, wanted, single }: IntakeOrder): Promise<Taken> {
    const content = this.handed.get(file);
    if (content === undefined)
      throw new AgentError('PART_REFUSED', `Cannot take "${file}": it does not exist`);
    const files = new Map<string, number>();
    const isSingle = file.endsWith('.bin');
    for (const [name, text] of Object.entries(content)) {
      const to = isSingle ? single.to : wanted(name)?.to;
      if (to === undefined) continue;
      this.disk.write(`${folder}/${to}`, text);
      files.set(to, text.length);
    }
    const sha256 = Buffer.from(JSON.stringify(content)).toString('hex').slice(-64).padStart(64, '0');
    return { sha256, kind: isSingle ? 'single' : 'archive', files };
  }

  readElf(): Promise<ElfFacts | { readonly problem: string }> {
    return Promise.resolve(this.elf);
  }

  scriptProblem(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  mayRun(): Promise<boolean> {
    return Promise.resolve(true);
  }

  inspect(path: string): Promise<ProgramFacts> {
    if (this.disk.text(path) === undefined) return Promise.resolve({ kind: 'absent' });
    const elf = { bits: 64, machine: 183 } as const;
    return Promise.resolve({ kind: 'file', isExecutable: true, elf, fingerprint: path });
  }

  run([program]: readonly [string, ...string[]]): Promise<CommandResult> {
    const version = this.disk.text(program)?.split(' ')[0] ?? '';
    const stdout = `Docker version ${version}, build 1`;
    return Promise.resolve({ code: 0, stdout, stderr: '', truncated: false });
  }

  find(path: string): Promise<string | undefined> {
    return Promise.resolve(this.disk.text(path)?.split(' ')[0]);
  }

  #ports() {
    const { clock, board, log, disk } = this;
    return { clock, board, log, disk, files: disk, intake: this, programs: this, commands: this, text: this };
  }
}

const staticElf: ElfFacts = {
  bits: 64,
  machine: 'aarch64',
  type: 'executable',
  interpreter: null,
  needed: [],
  searchPaths: [],
  hasTextRelocations: false,
  isStatic: true,
};
