import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Commands } from '../core/commands.ts';
import type { ContainerdApi } from '../core/containerd-api.ts';
import { explainEnd, type Symptom } from '../core/end-faults.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import { currentPart, formerPart } from '../core/part-places.ts';
import type { Ended, Processes, ProcessFacts, ProcessIdentity } from '../core/process.ts';
import type { Programs, UnixSockets } from '../core/program.ts';
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
import type { HealthBoard } from '../health/board.ts';
import { boltPanic, type Corruption, DockerdRepair } from './dockerd-repair.ts';
import { endShims } from './end-shims.ts';

/** The slice of the configuration that a containerd of our own is made from. */
export interface ContainerdSettings {
  readonly 'containerd.enabled': boolean;
  readonly 'containerd.root': string;
  readonly 'dockerd.binDir': string;
  readonly 'dockerd.pingMs': number;
  readonly 'dockerd.deepMs': number;
}

/** How the containerd unit is set up. */
export interface ContainerdOptions {
  readonly settings: ContainerdSettings;
  /** Writable tmpfs; the socket is `<runDir>/containerd/containerd.sock`, containerd's own default. */
  readonly runDir: string;
  /** Writable home, e.g. `/data/oh-edge-agent`; the configuration is generated below its state. */
  readonly home: string;
  readonly restart: UnitPolicy['restart'];
  readonly env: () => Readonly<Record<string, string>>;
  readonly isInRootGroups: boolean;
  /** Called when its metadata was set aside: whoever has asked it for containers so far must start anew. */
  readonly forgot: () => void;
}

/** What the containerd unit needs from outside. */
export interface ContainerdPorts {
  readonly clock: Clock;
  readonly commands: Commands;
  readonly containerd: ContainerdApi;
  readonly files: Files;
  readonly processes: Processes;
  readonly programs: Programs;
  readonly sockets: UnixSockets;
  readonly board: HealthBoard;
  readonly log: Log;
}

const oomScoreAdj = -500;
const socketMs = 5_000;
const askMs = 15_000;
/** Milliseconds in which containerd writes its stacks to its log. */
const stacksMs = 500;
const programsNeeded = ['containerd', 'containerd-shim-runc-v2', 'runc'];
const stateCorrupt = 'StateCorrupt';
/** It goes on without the services whose plugin cannot read the metadata, seen with 1.6.20 (containerd services/server/server.go). */
const withoutMetadata = /unknown service containerd\.services\./;
const symptoms: readonly Symptom[] = [
  {
    pattern: /invalid freelist page|page \d+ already freed|invalid database|circular dependency/,
    reason: stateCorrupt,
    message:
      'Its metadata is ruined, probably by a power cut; it is set aside once, images are pulled again; where that does not help, move the folders below containerd.root away',
  },
  {
    pattern: /invalid (plugin )?config|failed to load TOML|toml: /i,
    reason: 'ConfigWrong',
    message:
      'It does not take its configuration file, which the agent makes; it may be a release that is too old',
    isPermanent: true,
  },
];

/** Where a containerd of our own listens. */
export function containerdSocket(runDir: string): string {
  return `${runDir}/containerd/containerd.sock`;
}

/** A containerd of our own, for dockerd and for edgecore's CRI. Containers outlive it: their shims do not depend on it. */
export class ContainerdUnit implements UnitSpec {
  readonly name = 'containerd';
  readonly needs: readonly string[] = [];
  readonly condition = 'ContainerdReady';
  readonly policy: UnitPolicy;
  readonly causes: readonly string[];
  readonly programs: readonly string[];
  readonly #socket: string;
  readonly #options: ContainerdOptions;
  readonly #ports: ContainerdPorts;
  readonly #configFile: string;
  readonly #metadata: Corruption;
  readonly #repair: DockerdRepair;
  #isCorrupt = false;

  constructor(options: ContainerdOptions, ports: ContainerdPorts) {
    const { settings, runDir } = options;
    this.#options = options;
    this.#ports = ports;
    this.#socket = containerdSocket(runDir);
    this.policy = policyOf(settings, options.restart);
    this.#configFile = `${options.home}/state/containerd/config.toml`;
    const own = [currentPart(options.home, 'dockerd'), settings['dockerd.binDir']];
    this.causes = programsNeeded.flatMap((name) => own.map((directory) => `${directory}/${name}`));
    this.programs = [...own, formerPart(options.home, 'dockerd')].map(
      (directory) => `${directory}/containerd`,
    );
    this.#metadata = {
      name: 'containerd-metadata',
      path: `${settings['containerd.root']}/io.containerd.metadata.v1.bolt/meta.db`,
      lost: 'what containerd knew of images and containers; images are pulled again',
    };
    const recordFile = `${options.home}/state/containerd-repairs.json`;
    this.#repair = new DockerdRepair({ ...ports, unit: 'containerd', recordFile });
  }

  async prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    const { env, isInRootGroups } = this.#options;
    const { programs, sockets, files } = this.#ports;
    for (const name of programsNeeded) {
      const { path, facts } = await findProgram(name, this.#directories(), programs);
      const wrong = checkProgram(path, facts, programs.machine);
      if (wrong !== undefined) return wrong;
    }
    await this.#writeConfig();
    if (this.#isCorrupt) await this.#setMetadataAside();
    if ((await sockets.state(this.#socket, socketMs)) === 'dead') await files.remove(this.#socket);
    signal.throwIfAborted();
    const program = await findProgram('containerd', this.#directories(), programs);
    const argv = [program.path, '--config', this.#configFile] as const;
    return { argv, env: env(), cwd: '/', oomScoreAdj, isInRootGroups };
  }

  async probe(depth: ProbeDepth): Promise<Health> {
    const state = await this.#ports.sockets.state(this.#socket, socketMs);
    if (state !== 'listening') {
      return { verdict: 'silent', reason: 'NotListening', message: `Nobody accepts on "${this.#socket}"` };
    }
    return depth === 'cheap' ? { verdict: 'alive' } : this.#ask();
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    // Its snapshotters have databases of their own: only the stack of a panic tells which one it was.
    const isMetadata = lines.some((line) => /containerd\/.*metadata/.test(line));
    this.#isCorrupt ||= isMetadata && lines.some((line) => boltPanic.test(line));
    return explainEnd(ended, lines, symptoms);
  }

  isInstance(facts: ProcessFacts): boolean {
    return facts.argv.includes(this.#configFile);
  }

  /** SIGUSR1 makes containerd write all its stacks to its log (containerd cmd/containerd/command/main_unix.go). */
  async gatherEvidence(target: ProcessIdentity, signal: AbortSignal): Promise<readonly string[]> {
    const { processes, clock } = this.#ports;
    if (!(await processes.signal(target, 'SIGUSR1'))) return [];
    await clock.sleep(stacksMs, signal).catch(() => undefined);
    return ['stacks are in the log, see `agentctl logs containerd`'];
  }

  /** Without its metadata it serves nobody, and only its next start can do without the file. Containers run on until then. */
  async aid(note: Note, target: ProcessIdentity): Promise<readonly string[]> {
    if (note.reason !== stateCorrupt || (await this.#repair.refusal(this.#metadata)) !== undefined) return [];
    this.#isCorrupt = true;
    await this.#ports.processes.signal(target, 'SIGTERM');
    return ['containerd cannot read its metadata and was ended, to start without it'];
  }

  /** A new containerd knows nothing of the containers that still run, and nobody could ever stop them. */
  async #setMetadataAside(): Promise<void> {
    this.#isCorrupt = false;
    const { board, log } = this.#ports;
    const result = await this.#repair.setAside(this.#metadata, () => this.#endOrphans());
    if ('refusal' in result) {
      board.record('containerd.repair-refused', { ...this.#metadata, why: result.refusal });
      log.info('containerd.repair-refused', { ...this.#metadata, why: result.refusal });
      return;
    }
    this.#options.forgot();
  }

  async #endOrphans(): Promise<void> {
    const shims = this.#directories().map((directory) => `${directory}/containerd-shim-runc-v2`);
    const containers = await endShims(this.#ports.processes, shims, this.#socket);
    if (containers.length > 0) this.#ports.board.record('containerd.orphans-ended', { containers });
  }

  /**
   * A listing goes through the metadata, which a power cut may have ruined while everything else works. `ctr`, which starts a
   * program, is only asked why there is none.
   */
  async #ask(): Promise<Health> {
    const { programs, commands, containerd } = this.#ports;
    if (await containerd.listsNamespaces(this.#socket, socketMs)) return this.#ready();
    const { path, facts } = await findProgram('ctr', this.#directories(), programs);
    if (facts.kind !== 'file') return { verdict: 'ready' };
    try {
      const argv = [path, '--address', this.#socket, 'namespaces', 'list', '--quiet'] as const;
      const { code, stderr } = await commands.run([...argv], { timeoutMs: askMs });
      if (code === 0) return await this.#ready();
      const reason = withoutMetadata.test(stderr) ? stateCorrupt : 'ErrorAnswer';
      const message = `containerd does not list its namespaces: ${stderr.trim().slice(-200)}`;
      return { verdict: 'unready', hasStarted: true, reason, message };
    } catch (error) {
      return { verdict: 'silent', reason: 'NotAnswering', message: messageOf(error) };
    }
  }

  async #ready(): Promise<Health> {
    await this.#repair.confirm().catch(() => undefined);
    return { verdict: 'ready' };
  }

  async #writeConfig(): Promise<void> {
    const { settings, runDir } = this.#options;
    const { files } = this.#ports;
    const configFile = this.#configFile;
    for (const directory of [configFile.slice(0, configFile.lastIndexOf('/')), settings['containerd.root']]) {
      await files.makeDirectory(directory, 0o700);
    }
    const text = containerdConfig(settings['containerd.root'], runDir);
    if ((await files.read(configFile).catch(() => undefined)) === text) return;
    await files.replace(configFile, text, { mode: 0o600 });
  }

  #directories(): readonly string[] {
    const { env, home, settings } = this.#options;
    const path = (env()['PATH'] ?? '').split(':').filter((directory) => directory !== '');
    return [...new Set([currentPart(home, 'dockerd'), settings['dockerd.binDir'], ...path])];
  }
}

/** Text of config.toml; form 2 is read by 1.3 and later, and turned into their own by 2.x. */
export function containerdConfig(root: string, runDir: string): string {
  return [
    'version = 2',
    `root = ${JSON.stringify(root)}`,
    `state = ${JSON.stringify(`${runDir}/containerd`)}`,
    '[grpc]',
    `address = ${JSON.stringify(containerdSocket(runDir))}`,
    '[plugins."io.containerd.grpc.v1.cri".cni]',
    'bin_dir = "/opt/cni/bin"',
    'conf_dir = "/etc/cni/net.d"',
    '',
  ].join('\n');
}

function policyOf(settings: ContainerdSettings, restart: UnitPolicy['restart']): UnitPolicy {
  return {
    restart,
    startMs: 120_000,
    quietMs: 30_000,
    stopMs: 10_000,
    probeMs: settings['dockerd.pingMs'],
    probeTimeoutMs: socketMs + 1_000,
    deepMs: Math.max(settings['dockerd.deepMs'], settings['dockerd.pingMs']),
    deepTimeoutMs: 2 * socketMs + askMs + 1_000,
    silentLimit: 6,
    aidMs: 5_000,
  };
}
