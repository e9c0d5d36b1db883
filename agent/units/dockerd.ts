import { isAgentError, messageOf } from '../core/agent-error.ts';
import { explainEnd } from '../core/end-faults.ts';
import { currentPart, formerPart } from '../core/part-places.ts';
import type { Ended, ProcessFacts, ProcessIdentity } from '../core/process.ts';
import type { ProgramFacts } from '../core/program.ts';
import { checkProgram, findProgram } from '../core/program-check.ts';
import type {
  Fault,
  Health,
  Note,
  ProbeDepth,
  UnitCommand,
  UnitPolicy,
  UnitSpec,
} from '../core/unit-spec.ts';
import { within } from '../core/within.ts';
import { DiskReserve } from './disk-reserve.ts';
import { stopContainers } from './docker-containers.ts';
import { type DaemonConfig, daemonConfig, majorVersion } from './dockerd-config.ts';
import { DockerdContainers } from './dockerd-containers.ts';
import { dockerdSymptoms } from './dockerd-faults.ts';
import { clearLeftovers } from './dockerd-leftovers.ts';
import type { DockerdOptions, DockerdPorts } from './dockerd-options.ts';
import { dockerdPolicy, dockerdTimeouts } from './dockerd-policy.ts';
import { DockerdProbe } from './dockerd-probe.ts';
import { type Corruption, DockerdRepair, findCorruption } from './dockerd-repair.ts';
import { type RuntimePlaces, RuntimeWatch } from './runtime-watch.ts';

const oomScoreAdj = -500;
const xtablesLock = '/system/etc/xtables.lock';
/** Seconds that containers get between SIGTERM and SIGKILL when the board goes down; Docker's own default. */
const containerGraceS = 10;
const programsNeeded = ['dockerd', 'containerd', 'runc'];

/** dockerd with the containerd that it manages. */
export class DockerdUnit implements UnitSpec {
  readonly name = 'dockerd';
  readonly needs: readonly string[];
  readonly condition = 'DockerReady';
  readonly policy: UnitPolicy;
  readonly causes: readonly string[];
  readonly programs: readonly string[];
  readonly #options: DockerdOptions;
  readonly #ports: DockerdPorts;
  readonly #probe: DockerdProbe;
  readonly #repair: DockerdRepair;
  readonly #reserve: DiskReserve;
  readonly #runtime: RuntimeWatch;
  readonly #containers: DockerdContainers;
  #version: { readonly fingerprint: string; readonly major: number | undefined } | undefined;
  #config: DaemonConfig;
  #corruption: Corruption | undefined;

  constructor(options: DockerdOptions, ports: DockerdPorts) {
    const { settings, places } = options;
    const own = [currentPart(places.home, 'dockerd'), settings['dockerd.binDir']];
    this.#options = options;
    this.needs = options.containerd === undefined ? [] : ['containerd'];
    this.#ports = ports;
    this.policy = dockerdPolicy(settings, options.restart);
    this.causes = programsNeeded.flatMap((name) => own.map((directory) => `${directory}/${name}`));
    this.programs = [...own, formerPart(places.home, 'dockerd')].map((directory) => `${directory}/dockerd`);
    this.#probe = new DockerdProbe(ports.docker, ports.containerd, dockerdTimeouts);
    this.#repair = new DockerdRepair({
      ...ports,
      unit: 'dockerd',
      recordFile: `${places.home}/state/dockerd-repairs.json`,
    });
    const noting = { ...ports, note: this.#note.bind(this) };
    this.#reserve = new DiskReserve(noting);
    this.#runtime = new RuntimeWatch(noting);
    this.#containers = new DockerdContainers(noting, this.#runtimePlaces.bind(this));
    this.#config = daemonConfig(settings, places, {
      major: undefined,
      dns: [],
      containerd: options.containerd,
    });
  }

  async prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    const wrong = (await this.#checkPrograms()) ?? (await this.#reserve.ensure(this.#config.dataRoot));
    if (wrong !== undefined) return wrong;
    await this.#writeConfig();
    const cleared = await clearLeftovers(this.#config, this.#options.places.runDir, this.#ports, signal);
    if ('reason' in cleared) return cleared;
    if (cleared.length > 0) this.#note('dockerd.leftovers-removed', { paths: cleared });
    await this.#setCorruptionAside();
    await this.#containers.endNetworkless(this.#config.dataRoot);
    this.#runtime.forget();
    this.#containers.wake();
    await this.#runtime.wakeShims(this.#runtimePlaces());
    signal.throwIfAborted();
    return this.#command();
  }

  async probe(depth: ProbeDepth, signal: AbortSignal): Promise<Health> {
    const { storageDriver: storage, cgroupDriver: cgroup, containerd } = this.#config;
    const health = await this.#probe.probe(depth, { storage, cgroup, containerd }, signal);
    if (health.verdict === 'ready') await this.#repair.confirm().catch(() => undefined);
    // A look beside the question: where it fails, dockerd has answered all the same.
    if (depth === 'deep' || health.verdict === 'ready')
      await this.#runtime.look(this.#runtimePlaces()).catch(() => undefined);
    if (depth === 'deep' && health.verdict === 'alive')
      await this.#containers.look(signal).catch(() => undefined);
    if (depth === 'start' && health.verdict === 'ready')
      await this.#containers.tellLost(this.#config.dataRoot, signal).catch(() => undefined);
    return health;
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    this.#corruption = findCorruption(lines, this.#config);
    if (this.#corruption !== undefined) {
      const { name, path } = this.#corruption;
      const message = `Its state file "${path}" (${name}) is ruined, probably by a power cut; it is set aside once`;
      return { reason: 'StateCorrupt', message, isPermanent: false };
    }
    return explainEnd(ended, lines, dockerdSymptoms);
  }

  isInstance(facts: ProcessFacts): boolean {
    return facts.argv.includes(this.#options.places.configFile);
  }

  /** SIGUSR1 makes dockerd write all its stacks to a file in exec-root (moby daemon/debugtrap_unix.go). */
  async gatherEvidence(target: ProcessIdentity, signal: AbortSignal): Promise<readonly string[]> {
    const { files, processes, clock } = this.#ports;
    const dumps = async (): Promise<readonly string[]> =>
      (await files.list(this.#config.execRoot)).filter((name) => name.startsWith('goroutine-stacks-'));
    const before = await dumps();
    if (!(await processes.signal(target, 'SIGUSR1'))) return [];
    while (!signal.aborted) {
      const fresh = (await dumps()).filter((name) => !before.includes(name));
      if (fresh.length > 0) {
        // exec-root is memory: the last dump is enough.
        for (const old of before) await files.remove(`${this.#config.execRoot}/${old}`);
        return fresh.map((name) => `stacks in ${this.#config.execRoot}/${name}`);
      }
      await clock.sleep(100, signal).catch(() => undefined);
    }
    return ['no stack dump after SIGUSR1'];
  }

  /** dockerd notices only a containerd that has died (moby libcontainerd/supervisor/remote_daemon.go). */
  async aid(note: Note): Promise<readonly string[]> {
    if (note.reason !== 'RuntimeHung') return [];
    return this.#runtime.help(this.#runtimePlaces());
  }

  /** With live-restore containers survive dockerd, so before the power goes they are stopped on their own. */
  async beforeShutdown(budgetMs: number, signal: AbortSignal): Promise<void> {
    // What is started meanwhile would outlive dockerd.
    await within(this.#ports.clock, budgetMs / 3, (late) => this.#containers.rest(late), { signal });
    const graceS = Math.min(containerGraceS, Math.max(1, Math.floor(budgetMs / 1_000) - 1));
    const stopped = await stopContainers(this.#ports.docker, { graceS, timeoutMs: budgetMs }, signal);
    if (stopped.length > 0) this.#note('dockerd.containers-stopped', { containers: stopped });
  }

  async #checkPrograms(): Promise<Fault | undefined> {
    const { programs } = this.#ports;
    for (const name of programsNeeded) {
      const { path, facts } = await this.#find(name);
      const wrong = checkProgram(path, facts, programs.machine);
      if (wrong !== undefined) return wrong;
      if (name === 'dockerd') await this.#learnVersion(path, facts);
    }
    return undefined;
  }

  async #learnVersion(path: string, facts: ProgramFacts): Promise<void> {
    const fingerprint = facts.kind === 'file' ? facts.fingerprint : '';
    if (this.#version?.fingerprint === fingerprint) return;
    const printed = await this.#ports.commands.run([path, '--version']).catch(() => undefined);
    this.#version = { fingerprint, major: majorVersion(printed?.stdout ?? '') };
  }

  async #writeConfig(): Promise<void> {
    const { settings, places, dns, isCriWanted, containerd } = this.#options;
    const { files } = this.#ports;
    this.#config = daemonConfig(settings, places, {
      major: this.#version?.major,
      dns: dns(),
      isCriWanted: isCriWanted(),
      containerd,
    });
    for (const directory of [parent(places.configFile), places.temporaryDir, `${places.home}/state`]) {
      await files.makeDirectory(directory, 0o700);
    }
    const before = await files.read(places.configFile).catch(() => undefined);
    if (before === this.#config.text) return;
    await files.replace(places.configFile, this.#config.text, { mode: 0o600 });
  }

  async #setCorruptionAside(): Promise<void> {
    const corruption = this.#corruption;
    this.#corruption = undefined;
    if (corruption === undefined) return;
    try {
      const first =
        corruption.name === 'containerd-metadata' ? () => this.#containers.endOrphans() : undefined;
      const result = await this.#repair.setAside(corruption, first);
      if ('refusal' in result) this.#note('dockerd.repair-refused', { ...corruption, why: result.refusal });
    } catch (error) {
      this.#note('dockerd.repair-refused', { ...corruption, why: messageOf(error) });
      if (!isAgentError(error)) throw error;
    }
  }

  #runtimePlaces(): RuntimePlaces {
    const former = formerPart(this.#options.places.home, 'dockerd');
    const directories = [...this.#directoriesOf('containerd'), former];
    const shims = directories.map((directory) => `${directory}/containerd-shim-runc-v2`);
    const { execRoot, containerd } = this.#config;
    return { execRoot, containerd, shims };
  }

  async #command(): Promise<UnitCommand> {
    const { places, env, isInRootGroups } = this.#options;
    const { files, programs } = this.#ports;
    const program = await this.#find('dockerd');
    const mounts = (await files.read('/proc/self/mountinfo', 4_194_304).catch(() => undefined)) ?? '';
    const lock = await programs.inspect(xtablesLock).catch(() => ({ kind: 'absent' as const }));
    return {
      argv: [program.path, '--config-file', places.configFile],
      env: {
        ...(isRootInitramfs(mounts) ? { DOCKER_RAMDISK: 'true' } : {}),
        ...(lock.kind === 'file' ? { XTABLES_LOCKFILE: xtablesLock } : {}),
        ...env(),
        PATH: this.#directoriesOf('containerd').join(':'),
      },
      cwd: '/',
      oomScoreAdj,
      isInRootGroups,
    };
  }

  /** Where a program is missing, the place is named that the configuration speaks of. */
  async #find(name: string): ReturnType<typeof findProgram> {
    const found = await findProgram(name, this.#directoriesOf(name), this.#ports.programs);
    if (found.facts.kind !== 'absent') return found;
    return { ...found, path: `${this.#options.settings['dockerd.binDir']}/${name}` };
  }

  /** dockerd is an updated one or where the configuration says, never another one that happens to be on the path; its helpers may be. */
  #directoriesOf(name: string): readonly string[] {
    const { settings, places, env } = this.#options;
    const part = currentPart(places.home, 'dockerd');
    if (name === 'dockerd') return [part, settings['dockerd.binDir']];
    return [part, ...(env()['PATH'] ?? '').split(':').filter((directory) => directory !== '')];
  }

  #note(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#ports.board.record(event, fields);
    this.#ports.log.info(event, fields);
  }
}

/** runc cannot pivot out of the first root file system of the kernel, while a tmpfs root that was pivoted into is fine. */
export function isRootInitramfs(mountinfo: string): boolean {
  const roots = mountinfo.split('\n').filter((line) => line.split(' ')[4] === '/');
  const type = roots.at(-1)?.split(' - ')[1]?.split(' ')[0];
  return type === 'rootfs' || type === 'ramfs';
}

function parent(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}
