import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { Files } from '../core/files.ts';
import type { LocalNet } from '../core/local-net.ts';
import type { Log } from '../core/log.ts';
import type { Ended, ProcessFacts } from '../core/process.ts';
import type { UnixSockets } from '../core/program.ts';
import { withoutSecrets } from '../core/secrets.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { Fault, Health, ProbeDepth, UnitCommand, UnitPolicy, UnitSpec } from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import { judgeCertificate, readCertificate } from './certificate.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import { explainEdgecoreEnd } from './edgecore-faults.ts';
import { EdgecoreProbe, type ProbeTarget, probeTarget } from './edgecore-probe.ts';
import { readCertificates } from './join-look.ts';
import type { NodeRecord } from './node-record.ts';
import type { PauseImage } from './pause-image.ts';
import { parseRelease } from './release.ts';
import type { EdgecoreProgram, ReleaseFinder } from './release-finder.ts';
import { settingsOfRecord } from './settings-for.ts';
import type { TokenFiles } from './token-files.ts';

/** What the unit needs from outside. */
export interface EdgecoreUnitPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly net: LocalNet;
  readonly logs: UnitLogs;
  readonly sockets: UnixSockets;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly gate: SpeakerGate;
  readonly keeper: ConfigKeeper;
  readonly finder: ReleaseFinder;
  readonly tokens: TokenFiles;
  readonly pause: PauseImage;
}

/** How the unit is set up. */
export interface EdgecoreUnitOptions {
  readonly config: EdgeConfig;
  readonly places: EdgePlaces;
  readonly restart: UnitPolicy['restart'];
  /** Environment of all units: PATH, HOME and the like. */
  readonly env: () => Readonly<Record<string, string>>;
  readonly isInRootGroups: boolean;
  /** What the board has joined; undefined makes the unit dormant. */
  readonly record: () => NodeRecord | undefined;
}

const socketMs = 2_000;

/** edgecore as a supervised unit. On a board that has joined nothing it is dormant. */
export class EdgecoreUnit implements UnitSpec {
  readonly name = 'edgecore';
  readonly needs: readonly string[];
  readonly condition = 'EdgecoreReady';
  readonly policy: UnitPolicy;
  readonly causes: readonly string[];
  readonly programs: readonly string[];
  readonly #options: EdgecoreUnitOptions;
  readonly #ports: EdgecoreUnitPorts;
  readonly #probe: EdgecoreProbe;
  #target: ProbeTarget;
  #program: EdgecoreProgram | undefined;
  #hasSearched = false;

  constructor(options: EdgecoreUnitOptions, ports: EdgecoreUnitPorts) {
    const { config, places } = options;
    this.#options = options;
    this.#ports = ports;
    this.#probe = new EdgecoreProbe(ports);
    this.#target = probeTarget(places.configFile, undefined);
    const usesDockerd = config['dockerd.enabled'] && config['edgecore.criEndpoint'] === '';
    this.needs = usesDockerd ? ['dockerd'] : [];
    this.policy = edgecorePolicy(config, options.restart);
    this.programs = [config['edgecore.binary']];
    this.causes = [config['edgecore.binary'], places.configFile, places.bootstrapFile, places.certFile];
  }

  /** Release of edgecore such as `1.22.1`, once it is known. */
  get version(): string | undefined {
    return this.#program?.release.text.replace(/^v/, '');
  }

  /** Its /healthz, as long as nothing else is known of an adopted one the port that edgecore has by default. */
  get listensAt(): number | undefined {
    return this.#target.healthPort;
  }

  /** Reports whether there is nothing to supervise: no cluster was joined. */
  isDormant(): boolean {
    return this.#options.record() === undefined;
  }

  async prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    // Nobody prepares a process that runs: whatever stops this start, the agent may speak for the node meanwhile.
    this.#ports.gate.edgecoreEnded();
    const record = this.#options.record();
    if (record === undefined)
      return permanent('NotJoined', 'This board has joined no cluster; run `agentctl join`');
    const found = await this.#ports.finder.find(this.programs[0] ?? '', namedRelease(record));
    if (!found.ok) return found.fault;
    this.#program = found;
    const wrong =
      (await this.#configure(record, found)) ??
      (await this.#certificateFault(record, found)) ??
      (await this.#runtimeFault(record));
    if (wrong !== undefined) return wrong;
    await this.#ports.pause.ensure(record.runtime.kind, signal);
    signal.throwIfAborted();
    this.#probe.reset();
    await this.#ports.gate.edgecoreStarts();
    if (signal.aborted) this.#ports.gate.edgecoreEnded();
    signal.throwIfAborted();
    return this.#command();
  }

  async probe(_depth: ProbeDepth, signal: AbortSignal): Promise<Health> {
    const sight = await this.#probe.look(await this.#findTarget(), signal);
    await this.#ports.tokens.forgetOnceEnrolled();
    this.#show(sight.isLinked, sight.missingLink?.reason, sight.missingLink?.message);
    return this.#probe.judge(sight);
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    this.#ports.gate.edgecoreEnded();
    const clean = lines.map(withoutSecrets);
    const fault = explainEdgecoreEnd(ended, clean);
    this.#ports.board.set('CloudConnected', 'false', {
      reason: 'EdgecoreDown',
      message: 'edgecore does not run, so nobody speaks to the cloud for this node',
      causedBy: this.condition,
    });
    return fault;
  }

  isInstance(facts: ProcessFacts): boolean {
    const { configFile } = this.#options.places;
    return facts.argv.some((argument) => argument === configFile || argument === `--config=${configFile}`);
  }

  /** Brings edgecore.yaml up to date: the address of the board may have changed, the program may be another release. */
  async #configure(record: NodeRecord, program: EdgecoreProgram): Promise<Fault | undefined> {
    const { net, keeper, tokens, board, log } = this.#ports;
    const { cloud } = record;
    const nodeIp = await net.sourceAddress({ host: cloud.host, port: cloud.hubPort }).catch(() => undefined);
    try {
      const token = await tokens.forConfig(program.release);
      const report = await keeper.update(program, settingsOfRecord(record, nodeIp), token);
      if (report.recovered !== undefined) {
        board.record('edgecore.config-recovered', { ...report.recovered });
        log.warn('edgecore.config-recovered', { ...report.recovered });
      } else if (report.isChanged) log.info('edgecore.config-written', { kept: report.kept });
      this.#target = probeTarget(this.#options.places.configFile, await keeper.read());
      return undefined;
    } catch (error) {
      return { reason: 'ConfigNotWritten', message: messageOf(error), isPermanent: false };
    }
  }

  /** edgecore with a certificate that is over tries for ever without saying why, so it is not started. */
  async #certificateFault(record: NodeRecord, program: EdgecoreProgram): Promise<Fault | undefined> {
    const { files, clock, tokens } = this.#ports;
    const texts = await readCertificates(files, this.#options.places);
    const hasToken = await tokens.hasToken();
    if (texts === undefined) {
      if (hasToken) return undefined;
      return permanent(
        'TokenMissing',
        'There is neither a certificate nor a token; get a fresh token and run `agentctl rejoin --token-file FILE`',
      );
    }
    const facts = readCertificate(texts.certPem, texts.caPem);
    if (facts === undefined)
      return permanent(
        'CertificateUnreadable',
        'The certificate of the node cannot be read; get a fresh token and run `agentctl rejoin --token-file FILE`',
      );
    const verdict = judgeCertificate(
      facts,
      { name: record.node, minor: program.release.minor },
      clock.wallMs(),
    );
    const isHopeless = ['Expired', 'WrongAuthority', 'WrongName'].includes(verdict.reason);
    if (verdict.status === 'true' || !isHopeless || hasToken) return undefined;
    return permanent(`Certificate${verdict.reason}`, verdict.message);
  }

  async #runtimeFault({ runtime }: NodeRecord): Promise<Fault | undefined> {
    const path = runtime.endpoint.replace(/^unix:\/\//, '');
    const state = await this.#ports.sockets.state(path, socketMs);
    if (state === 'listening') return undefined;
    const what = state === 'absent' ? 'does not exist' : 'is left over and nobody listens on it';
    const fix = runtime.kind === 'cri' ? 'dockerd must run with --cri-containerd' : 'dockerd must run';
    return {
      reason: 'RuntimeNotReady',
      message: `The socket of the container runtime, ${path}, ${what}; ${fix}`,
      isPermanent: false,
    };
  }

  #command(): UnitCommand {
    const { config, places, env, isInRootGroups } = this.#options;
    return {
      argv: [config['edgecore.binary'], '--config', places.configFile],
      // Its check walks over every process of the board, those of containers too, and refuses for the name of one.
      env: { ...env(), CHECK_EDGECORE_ENVIRONMENT: 'false' },
      cwd: '/',
      isInRootGroups,
    };
  }

  async #findTarget(): Promise<ProbeTarget> {
    // An adopted process was prepared by an earlier agent.
    if (this.#program === undefined) {
      if (!this.#hasSearched) void this.#findProgram();
      this.#hasSearched = true;
      this.#target = probeTarget(this.#options.places.configFile, await this.#ports.keeper.read());
    }
    return this.#target;
  }

  /** Reading a large program takes longer than a probe may, so nobody waits for it. */
  async #findProgram(): Promise<void> {
    const record = this.#options.record();
    if (record === undefined) return;
    const found = await this.#ports.finder
      .find(this.programs[0] ?? '', namedRelease(record))
      .catch(() => undefined);
    if (found?.ok === true) this.#program ??= found;
  }

  #show(
    isLinked: boolean,
    reason = 'Connecting',
    message = 'edgecore has no session with the cloud yet',
  ): void {
    const { board } = this.#ports;
    if (isLinked)
      board.set('CloudConnected', 'true', {
        reason: 'Connected',
        message: 'edgecore has its session with the cloud',
      });
    else board.set('CloudConnected', 'false', { reason, message });
  }
}

function edgecorePolicy(config: EdgeConfig, restart: UnitPolicy['restart']): UnitPolicy {
  return {
    restart,
    startMs: config['edgecore.startMs'],
    quietMs: 120_000,
    stopMs: config['edgecore.stopMs'],
    probeMs: 10_000,
    probeTimeoutMs: 8_000,
    deepMs: 60_000,
    deepTimeoutMs: 10_000,
    silentLimit: 3,
  };
}

function namedRelease({ kubeedge }: NodeRecord): ReturnType<typeof parseRelease> {
  return kubeedge === undefined ? undefined : parseRelease(kubeedge, 'operator');
}

function permanent(reason: string, message: string): Fault {
  return { reason, message, isPermanent: true };
}
