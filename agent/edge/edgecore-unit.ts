import { messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { CloudProbe } from '../core/cloud-probe.ts';
import type { Files } from '../core/files.ts';
import type { LocalNet } from '../core/local-net.ts';
import type { Log } from '../core/log.ts';
import type { Ended, ProcessFacts } from '../core/process.ts';
import type { UnixSockets } from '../core/program.ts';
import { withoutSecrets } from '../core/secrets.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import {
  type Fault,
  type Health,
  isFault,
  type Note,
  type ProbeDepth,
  type UnitCommand,
  type UnitPolicy,
  type UnitSpec,
} from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { cureDatabase } from './database-cure.ts';
import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import { explainEdgecoreEnd } from './edgecore-faults.ts';
import { EdgecoreProbe, type ProbeTarget, probeTarget } from './edgecore-probe.ts';
import { type NodeRecord, recordedRelease } from './node-record.ts';
import type { PauseImage } from './pause-image.ts';
import type { EdgecoreProgram, ReleaseFinder } from './release-finder.ts';
import { settingsOfRecord } from './settings-for.ts';
import { certificateFault, notJoined, runtimeFault } from './start-faults.ts';
import type { TokenFiles } from './token-files.ts';
import { textAt } from './tree.ts';

/** What the unit needs from outside. */
export interface EdgecoreUnitPorts {
  readonly clock: Clock;
  readonly files: Files;
  readonly net: LocalNet;
  readonly cloud: CloudProbe;
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
  /** Why it has to wait although the board may have joined. */
  readonly held: () => Note | undefined;
}

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
  #lastFault: Fault | undefined;

  constructor(options: EdgecoreUnitOptions, ports: EdgecoreUnitPorts) {
    const { config, places } = options;
    this.#options = options;
    this.#ports = ports;
    this.#probe = new EdgecoreProbe(ports);
    this.#target = probeTarget(places.configFile, undefined);
    const usesDockerd = config['dockerd.enabled'] && config['edgecore.criEndpoint'] === '';
    this.needs = usesDockerd ? ['dockerd'] : [];
    this.policy = edgecorePolicy(config, options.restart);
    const { edgecorePart, formerEdgecorePart, configFile, bootstrapFile, certFile } = places;
    const binary = config['edgecore.binary'];
    this.programs = [binary, edgecorePart, formerEdgecorePart];
    this.causes = [binary, edgecorePart, configFile, bootstrapFile, certFile];
  }

  /** Release of edgecore such as `1.22.1`, once it is known. */
  get version(): string | undefined {
    return this.#program?.release.text.replace(/^v/, '');
  }

  /** What ended edgecore or kept it from starting last, since it was ready last; a crash loop's own word says nothing about that. */
  get lastFault(): Fault | undefined {
    return this.#lastFault;
  }

  /** Nothing is to be supervised as long as no cluster was joined. */
  dormancy(): Note | undefined {
    return this.#options.held() ?? (this.#options.record() === undefined ? notJoined : undefined);
  }

  async prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    // Nobody prepares a process that runs: whatever stops this start, the agent may speak for the node meanwhile.
    this.#ports.gate.edgecoreEnded();
    const outcome = await this.#prepare(signal);
    if (isFault(outcome)) this.#lastFault = outcome;
    return outcome;
  }

  async #prepare(signal: AbortSignal): Promise<UnitCommand | Fault> {
    const record = this.#options.record();
    if (record === undefined) return notJoined;
    const found = await this.#ports.finder.find(this.programs[0] ?? '', recordedRelease(record));
    if (!found.ok) return found.fault;
    this.#program = found;
    const wrong =
      (await this.#configure(record, found)) ??
      (await certificateFault(this.#ports, this.#options.places, record, found.release.minor)) ??
      (await runtimeFault(this.#ports.sockets, record, found.release));
    if (wrong !== undefined) return wrong;
    await this.#cureDatabase(record, signal);
    const sandboxImage = textAt(await this.#ports.keeper.read(), ['modules', 'edged', 'podSandboxImage']);
    await this.#ports.pause.ensure({ runtime: record.runtime, sandboxImage }, signal);
    await this.#ports.files.makeDirectory(workDir(this.#options.places), 0o750);
    signal.throwIfAborted();
    this.#probe.reset();
    await this.#ports.gate.edgecoreStarts();
    if (signal.aborted) this.#ports.gate.edgecoreEnded();
    signal.throwIfAborted();
    return this.#command();
  }

  async probe(depth: ProbeDepth, signal: AbortSignal): Promise<Health> {
    const sight = await this.#probe.look(await this.#findTarget(), signal, depth);
    const { stopped, missingLink } = sight;
    if (stopped !== undefined) this.#lastFault = { ...stopped, isPermanent: false };
    await this.#ports.tokens.forgetOnceEnrolled();
    const why = stopped ?? missingLink;
    this.#show(sight.isLinked && stopped === undefined, why?.reason, why?.message);
    const health = this.#probe.judge(sight);
    if (health.verdict === 'ready') this.#lastFault = undefined;
    return health;
  }

  explain(ended: Ended, lines: readonly string[]): Fault {
    this.#ports.gate.edgecoreEnded();
    const clean = lines.map(withoutSecrets);
    const fault = explainEdgecoreEnd(ended, clean);
    // These two are also what a stop on request looks like.
    if (fault.reason !== 'EndedUnasked' && fault.reason !== 'Killed') this.#lastFault = fault;
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

  async #cureDatabase(record: NodeRecord, signal: AbortSignal): Promise<void> {
    if (this.#lastFault?.reason !== 'DatabaseBroken') return;
    if (await cureDatabase(this.#ports, this.#options.places, record, signal)) this.#lastFault = undefined;
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

  #command(): UnitCommand {
    const { config, places, env, isInRootGroups } = this.#options;
    return {
      argv: [this.#program?.path ?? config['edgecore.binary'], '--config', places.configFile],
      // Its check walks over every process of the board, those of containers too, and refuses for the name of one.
      env: { ...env(), CHECK_EDGECORE_ENVIRONMENT: 'false' },
      // Up to 1.12 it writes kubelet.crt into its working directory, and the root of a board is read-only.
      cwd: workDir(places),
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
      .find(this.programs[0] ?? '', recordedRelease(record))
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

function workDir({ databaseFile }: EdgePlaces): string {
  return databaseFile.slice(0, databaseFile.lastIndexOf('/'));
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
