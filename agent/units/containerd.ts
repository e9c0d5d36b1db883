import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Commands } from '../core/commands.ts';
import { explainEnd, type Symptom } from '../core/end-faults.ts';
import type { Files } from '../core/files.ts';
import { currentPart, formerPart } from '../core/part-places.ts';
import type { Ended, Processes, ProcessFacts, ProcessIdentity } from '../core/process.ts';
import type { Programs, UnixSockets } from '../core/program.ts';
import { checkProgram, findProgram } from '../core/program-check.ts';
import type { Fault, Health, ProbeDepth, UnitCommand, UnitPolicy, UnitSpec } from '../core/unit-spec.ts';

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
}

/** What the containerd unit needs from outside. */
export interface ContainerdPorts {
  readonly clock: Clock;
  readonly commands: Commands;
  readonly files: Files;
  readonly processes: Processes;
  readonly programs: Programs;
  readonly sockets: UnixSockets;
}

const oomScoreAdj = -500;
const socketMs = 5_000;
const askMs = 15_000;
/** Milliseconds in which containerd writes its stacks to its log. */
const stacksMs = 500;
const programsNeeded = ['containerd', 'containerd-shim-runc-v2', 'runc'];
const symptoms: readonly Symptom[] = [
  {
    pattern: /invalid freelist page|page \d+ already freed|invalid database|circular dependency/,
    reason: 'StateCorrupt',
    message:
      'Its metadata is ruined, probably by a power cut; move meta.db below containerd.root away, images are pulled again',
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
  readonly listensAt: string;
  readonly #options: ContainerdOptions;
  readonly #ports: ContainerdPorts;
  readonly #configFile: string;

  constructor(options: ContainerdOptions, ports: ContainerdPorts) {
    const { settings, runDir } = options;
    this.#options = options;
    this.#ports = ports;
    this.listensAt = containerdSocket(runDir);
    this.policy = policyOf(settings, options.restart);
    this.#configFile = `${options.home}/state/containerd/config.toml`;
    const own = [currentPart(options.home, 'dockerd'), settings['dockerd.binDir']];
    this.causes = programsNeeded.flatMap((name) => own.map((directory) => `${directory}/${name}`));
    this.programs = [...own, formerPart(options.home, 'dockerd')].map(
      (directory) => `${directory}/containerd`,
    );
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
    if ((await sockets.state(this.listensAt, socketMs)) === 'dead') await files.remove(this.listensAt);
    signal.throwIfAborted();
    const program = await findProgram('containerd', this.#directories(), programs);
    const argv = [program.path, '--config', this.#configFile] as const;
    return { argv, env: env(), cwd: '/', oomScoreAdj, isInRootGroups };
  }

  async probe(depth: ProbeDepth): Promise<Health> {
    const state = await this.#ports.sockets.state(this.listensAt, socketMs);
    if (state !== 'listening') {
      return { verdict: 'silent', reason: 'NotListening', message: `Nobody accepts on "${this.listensAt}"` };
    }
    return depth === 'cheap' ? { verdict: 'alive' } : this.#ask();
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
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

  /** A listing goes through the metadata, which a power cut may have ruined while everything else works. */
  async #ask(): Promise<Health> {
    const { programs, commands } = this.#ports;
    const { path, facts } = await findProgram('ctr', this.#directories(), programs);
    if (facts.kind !== 'file') return { verdict: 'ready' };
    try {
      const argv = [path, '--address', this.listensAt, 'namespaces', 'list', '--quiet'] as const;
      const { code, stderr } = await commands.run([...argv], { timeoutMs: askMs });
      if (code === 0) return { verdict: 'ready' };
      const message = `containerd does not list its namespaces: ${stderr.trim().slice(-200)}`;
      return { verdict: 'unready', hasStarted: true, reason: 'ErrorAnswer', message };
    } catch (error) {
      return { verdict: 'silent', reason: 'NotAnswering', message: messageOf(error) };
    }
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
    deepTimeoutMs: socketMs + askMs + 1_000,
    silentLimit: 6,
  };
}
