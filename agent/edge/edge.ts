import type { EdgeDocument, Finding, JoinDocument, LeaveDocument } from '../api/wire.ts';
import { AgentError, isAbort, messageOf } from '../core/agent-error.ts';
import type { Clock } from '../core/clock.ts';
import type { CloudProbe } from '../core/cloud-probe.ts';
import type { Commands } from '../core/commands.ts';
import type { DockerApi } from '../core/docker.ts';
import type { EdgeNodes } from '../core/edge-node.ts';
import type { Files } from '../core/files.ts';
import type { LocalNet } from '../core/local-net.ts';
import type { Log } from '../core/log.ts';
import type { Programs, UnixSockets } from '../core/program.ts';
import type { ProgramText } from '../core/program-text.ts';
import type { SpeakerGate } from '../core/speaker-gate.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { UnitPolicy, UnitSpec } from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { joinHostPort } from './cloud-address.ts';
import { ConfigKeeper } from './config-keeper.ts';
import { filesSetAside } from './database-cure.ts';
import { examineEdge } from './edge-doctor.ts';
import { EdgeExecutor } from './edge-executor.ts';
import type { EdgeConfig } from './edge-options.ts';
import type { EdgePlaces } from './edge-places.ts';
import { planLeave } from './edge-plan.ts';
import { type EdgeUnits, isActive, statusOf, unitsLater } from './edge-units.ts';
import { EdgecoreUnit } from './edgecore-unit.ts';
import { FirstRead } from './first-read.ts';
import { JoinFile } from './join-file.ts';
import { JoinedNode } from './joined-node.ts';
import { Joiner, view } from './joiner.ts';
import { NodeRecords } from './node-record.ts';
import { PauseImage } from './pause-image.ts';
import { PodCleaner } from './pod-cleaner.ts';
import { ReleaseFinder } from './release-finder.ts';
import { needsManagedCri } from './runtime-choice.ts';
import { unread } from './start-faults.ts';
import { TokenFiles } from './token-files.ts';

/** Everything that the room needs; the composition root fills it once. */
export interface EdgeOptions {
  readonly config: EdgeConfig;
  readonly places: EdgePlaces;
  readonly restart: UnitPolicy['restart'];
  readonly env: () => Readonly<Record<string, string>>;
  readonly isInRootGroups: boolean;
  readonly clock: Clock;
  readonly commands: Commands;
  readonly docker: DockerApi;
  readonly files: Files;
  readonly net: LocalNet;
  readonly cloud: CloudProbe;
  readonly programs: Programs;
  readonly sockets: UnixSockets;
  readonly text: ProgramText;
  readonly logs: UnitLogs;
  readonly board: HealthBoard;
  readonly log: Log;
  readonly gate: SpeakerGate;
  /** Takes what we told the cloud off the Node object; reports whether the cloud confirmed it. */
  readonly retract: (signal: AbortSignal) => Promise<boolean>;
  /** The supervision, which is made after this room because the unit is a part of it. */
  readonly units: () => EdgeUnits;
}

/** What leaving takes along. */
export interface LeaveOptions {
  readonly removesPods: boolean;
  readonly removesImages: boolean;
  readonly isDryRun: boolean;
}

/** The board's place in a cluster: joining and leaving, the edgecore unit, its certificate. */
export class Edge {
  readonly nodes: EdgeNodes;
  readonly #options: EdgeOptions;
  readonly #records: NodeRecords;
  readonly #unit: EdgecoreUnit;
  readonly #joiner: Joiner;
  readonly #first: FirstRead;
  readonly #executor: EdgeExecutor;
  readonly #certificates: CertificateWatch;
  readonly #over = new AbortController();
  #isBusy = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: EdgeOptions) {
    const { files, places } = options;
    this.#options = options;
    const keeper = new ConfigKeeper(files, places);
    const records = new NodeRecords(files, places.stateDir);
    const finder = new ReleaseFinder(options);
    const pods = new PodCleaner({ ...options, runtime: () => records.current?.runtime.kind ?? 'docker' });
    this.#records = records;
    this.#executor = new EdgeExecutor({
      ...options,
      units: unitsLater(options.units),
      keeper,
      records,
      pods,
    });
    this.#joiner = new Joiner({ ...options, keeper, records, finder, executor: this.#executor });
    this.#first = new FirstRead(options, async () => {
      await this.#joiner.open();
      await records.read();
    });
    this.#unit = new EdgecoreUnit(
      {
        ...options,
        record: () => records.current,
        held: () => (this.#first.isDone ? this.#joiner.held : unread),
      },
      {
        ...options,
        keeper,
        finder,
        tokens: new TokenFiles(files, places, keeper),
        pause: new PauseImage(options),
      },
    );
    this.nodes = new JoinedNode({ files, keeper, records, places, version: () => this.#unit.version });
    this.#certificates = new CertificateWatch({
      ...options,
      node: () =>
        this.#records.current === undefined
          ? undefined
          : { name: this.#records.current.node, version: this.#unit.version },
    });
    records.watch(() => this.#certificates.look());
  }

  /** edgecore for the supervision. */
  get unit(): UnitSpec {
    return this.#unit;
  }

  /** Whether dockerd must let its containerd serve CRI, for the next start of dockerd. */
  get needsManagedCri(): boolean {
    const record = this.#records.current;
    return record !== undefined && needsManagedCri(record.runtime, this.#options.places);
  }

  /** Address that tells the time in the Date header of any answer: where certificates are issued. None before joining. */
  get timeSources(): readonly string[] {
    const cloud = this.#records.current?.cloud;
    return cloud === undefined ? [] : [`https://${joinHostPort(cloud.host, cloud.enrolPort)}`];
  }

  /** Reads what the board has joined; must be done before the supervision starts. Never rejects. */
  async open(): Promise<void> {
    await this.#first.soon(this.#over.signal);
  }

  /** What could not be read at the start is read as soon as it can be; only then edgecore starts. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    if (!(await this.#first.late(signal))) return;
    await this.#joiner.resume();
    if (this.#records.current !== undefined) this.#options.units().startUnit('edgecore');
  }

  /** Watches the certificate, and joins where a join file lies on the board. */
  async start(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.#over.signal]);
    const { clock, commands, files, log, board, places } = this.#options;
    await this.#alone(() => this.#joiner.resume()).catch((error: unknown) => {
      log.error('edge.join-not-undone', { message: messageOf(error) });
    });
    this.#tellGate();
    const file = new JoinFile({
      clock,
      files,
      log,
      board,
      path: places.joinFile,
      // Its mode only: whoever is still writing it must not lose the rest.
      protect: async () => {
        await commands.run([places.busybox, 'chmod', '600', places.joinFile], { timeoutMs: 10_000 });
      },
      isJoined: () => this.#records.current !== undefined,
      join: (order, stop) => this.#alone(() => this.#joiner.join(order, { waits: false }, stop)),
    });
    const quiet = (error: unknown): void => {
      if (!isAbort(error)) log.error('edge.work-failed', { message: messageOf(error) });
    };
    const works = [this.#catchUp(until).then(() => file.run(until)), this.#certificates.run(until)];
    this.#work = Promise.all(works.map((work) => work.catch(quiet)));
  }

  async stop(): Promise<void> {
    this.#over.abort(new DOMException('The agent stops', 'AbortError'));
    await this.#work;
    await this.#joiner.stop();
  }

  /** Joins a cluster, or says everything that stands in the way and changes nothing. */
  async join(order: unknown, signal: AbortSignal): Promise<JoinDocument> {
    return this.#alone(() => this.#joiner.join(order, { waits: true }, signal));
  }

  /** Leaves the cluster: everything that makes this board that node is removed. */
  async leave(options: LeaveOptions, signal: AbortSignal): Promise<LeaveDocument> {
    return this.#alone(async () => {
      const { files, places, units, board } = this.#options;
      const node = this.#records.current?.node;
      const setAside = await filesSetAside(files, [places.configFile, places.databaseFile]);
      const steps = planLeave({ ...options, isActive: isActive(units(), 'edgecore'), setAside }, places);
      const document = {
        ...(node === undefined ? {} : { node }),
        dryRun: options.isDryRun,
        steps: steps.map(view),
        hints: hintsFor(node, options),
      };
      if (options.isDryRun) return { ...document, left: false };
      const nothing = { program: undefined, settings: undefined, token: undefined };
      await this.#joiner.forget();
      const missed = await this.#executor.run(steps, nothing, signal);
      for (const type of ['EdgecoreReady', 'CloudConnected', 'CertificateValid']) board.clear(type);
      return { ...document, left: true, hints: [...missed, ...document.hints] };
    });
  }

  /** What the board has joined. */
  status(): EdgeDocument {
    const record = this.#records.current;
    if (record === undefined) return { joined: false };
    const { node, cloud, runtime, joinedAtMs } = record;
    const version = this.#unit.version;
    const certificate = this.#certificates.last;
    return {
      joined: true,
      node,
      cloud: joinHostPort(cloud.host, cloud.hubPort),
      runtime: runtime.kind,
      joinedAtMs,
      ...(version === undefined ? {} : { kubeedge: `v${version}` }),
      ...(certificate === undefined ? {} : { certificate }),
    };
  }

  /** Checks for `agentctl doctor`; nothing where the board has joined nothing. */
  async doctor(signal: AbortSignal): Promise<readonly Finding[]> {
    const finder = new ReleaseFinder(this.#options);
    const isStopped = !isActive(this.#options.units(), 'edgecore');
    const lastFault = isStopped ? undefined : this.#unit.lastFault;
    return examineEdge({ ...this.#options, finder, record: this.#records.current, lastFault }, signal);
  }

  /** An earlier agent may have left edgecore running, or there is none and its start has to wait: only now both are known. */
  #tellGate(): void {
    const { gate, units } = this.#options;
    const status = statusOf(units(), 'edgecore');
    if (status?.pid !== undefined) gate.edgecoreAdopted();
    else if (status?.phase !== 'starting') gate.edgecoreEnded();
  }

  async #alone<T>(act: () => Promise<T>): Promise<T> {
    if (this.#isBusy) {
      throw new AgentError(
        'UNIT_REFUSED',
        'Cannot do that now: another join or leave is under way; wait for it',
      );
    }
    this.#isBusy = true;
    try {
      return await act();
    } finally {
      this.#isBusy = false;
    }
  }
}

function hintsFor(node: string | undefined, { removesImages, isDryRun }: LeaveOptions): readonly string[] {
  if (node === undefined) return [];
  return [
    ...(isDryRun
      ? [`first move its pods elsewhere: kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data`]
      : []),
    `remove the node from the cluster: kubectl delete node ${node}`,
    ...(removesImages
      ? []
      : [
          'images stay on the board; remove them with `docker system prune` or `agentctl leave --remove-images`',
        ]),
  ];
}
