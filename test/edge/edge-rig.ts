import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { Verbs } from '../../agent/api/verbs.ts';
import type { UnitStatus } from '../../agent/api/wire.ts';
import { defaultConfig } from '../../agent/config/default-config.ts';
import type { Api } from '../../agent/core/api-port.ts';
import { SpeakerGate } from '../../agent/core/speaker-gate.ts';
import { Edge, type EdgeOptions } from '../../agent/edge/edge.ts';
import { type EdgePlaces, edgePlaces } from '../../agent/edge/edge-places.ts';
import { nodeRecordFiles } from '../../agent/edge/node-record.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { HostCloudProbe } from '../../agent/host/cloud-probe.ts';
import { DockerClient } from '../../agent/host/docker-client.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostPrograms, HostSockets } from '../../agent/host/host-programs.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { HostLocalNet } from '../../agent/host/local-net.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { HostProgramText } from '../../agent/host/program-text.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { Reporting } from '../../agent/reporting.ts';
import { Supervisor } from '../../agent/units/supervisor.ts';
import { freePort } from '../fakes/free-port.ts';
import { patience } from '../fakes/patience.ts';
import { QuietLog } from '../fakes/quiet-log.ts';
import { statusDocument } from '../fakes/status-document.ts';
import { bundleEdgecore } from '../standins/bundle.ts';
import { CloudHub, type CloudHubOptions } from '../standins/cloudhub/cloudhub.ts';

const busybox = '/usr/bin/busybox';

/** One running agent, as far as edgecore is concerned. */
export interface RigAgent {
  readonly edge: Edge;
  readonly supervisor: Supervisor;
  readonly board: HealthBoard;
  readonly log: QuietLog;
  readonly gate: SpeakerGate;
  /** The reports to the cloud; they run only where they were asked for. */
  readonly reporting: Reporting;
}

/** A board in a temporary directory, with the stand-ins of cloudcore and edgecore and everything else real. */
export class EdgeRig {
  readonly home: string;
  readonly places: EdgePlaces;
  readonly cloud: CloudHub;
  readonly ports: { readonly health: number; readonly mqtt: number };
  readonly #binary: string;
  readonly #runtime: Server;
  #agent: RigAgent | undefined;

  private constructor(parts: Pick<EdgeRig, 'home' | 'cloud' | 'ports'>, binary: string, runtime: Server) {
    this.home = parts.home;
    this.cloud = parts.cloud;
    this.ports = parts.ports;
    this.places = edgePlaces({
      home: `${this.home}/data`,
      product: `${this.home}/product`,
      busybox,
      dockerBinDir: `${this.home}/docker`,
      runDir: `${this.home}/run`,
      root: this.home,
    });
    this.#binary = binary;
    this.#runtime = runtime;
  }

  /** Builds a board whose edgecore is the stand-in of one release. */
  static async build(version = '1.22.1', options: CloudHubOptions = {}): Promise<EdgeRig> {
    const home = await mkdtemp(path.join(tmpdir(), 'edge-rig-'));
    const binary = await bundleEdgecore(`${home}/kubeedge`, { node: process.execPath, version });
    const cloud = await CloudHub.start({ version, ...options });
    const ports = { health: await freePort(), mqtt: await freePort() };
    const runtime = createServer();
    const rig = new EdgeRig({ home, cloud, ports }, binary, runtime);
    await rig.#furnish();
    return rig;
  }

  /** Starts an agent, with its reports to the cloud where they are wanted; an earlier one must have been stopped. */
  async startAgent({ reports = false, files = new FileStore() } = {}): Promise<RigAgent> {
    const clock = new SystemClock();
    const board = new HealthBoard(clock);
    const log = new QuietLog();
    const commands = new ToolRunner({ PATH: '/usr/bin:/bin' });
    const programs = new HostPrograms();
    const logs = new HostUnitLogs({
      clock,
      commands,
      makePipe: [busybox, 'mkfifo'],
      logDir: `${this.home}/data/log`,
      pipeDir: `${this.home}/data/pipes`,
      budget: { fileBytes: 1_000_000, files: 2 },
    });
    const tie: { supervisor?: Supervisor } = {};
    const gate = new SpeakerGate();
    const restart = {
      floorMs: 100,
      ceilingMs: 1000,
      stableMs: 5000,
      loopFailures: 4,
      permanentMs: 3_600_000,
    };
    const config = {
      ...defaultConfig(),
      'edgecore.binary': this.#binary,
      'edgecore.criEndpoint': `unix://${this.home}/run/containerd.sock`,
      'dockerd.enabled': false,
      'dockerd.dataRoot': this.home,
      'query.enabled': false,
      'report.spreadMs': 100,
    };
    const docker = new DockerClient(this.places.dockerSocket);
    const options: EdgeOptions = {
      config,
      places: this.places,
      restart,
      env: () => ({
        PATH: process.env['PATH'] ?? '',
        STANDIN_BOOTSTRAP: this.places.bootstrapFile,
        STANDIN_FAULTS: `${this.home}/faults.json`,
        STANDIN_DIAL_MS: '100',
        STANDIN_PARENT: String(process.pid),
      }),
      isInRootGroups: false,
      clock,
      commands,
      docker,
      files,
      net: new HostLocalNet(),
      cloud: new HostCloudProbe(),
      programs,
      sockets: new HostSockets(),
      text: new HostProgramText(),
      logs,
      board,
      log,
      gate,
      retract: (signal) => reporting.retract(signal),
      units: () => {
        if (tie.supervisor === undefined) throw new Error('no supervisor yet');
        return tie.supervisor;
      },
    };
    const edge = new Edge(options);
    const reporting = new Reporting({
      config,
      home: `${this.home}/data`,
      clock,
      random: Math.random,
      board,
      log,
      files,
      docker,
      unitLogs: logs,
      nodes: edge.nodes,
      gate,
      verbs: () => ({ status: () => statusDocument(board, [...options.units().status()]) }) as Verbs,
      api: () => ({}) as Api,
    });
    const supervisor = new Supervisor([edge.unit], {
      clock,
      random: Math.random,
      nextTurn,
      processes: new HostProcesses(log, '/tmp'),
      programs,
      files,
      logs,
      board,
      log,
      recordDir: `${this.home}/data/state/units`,
    });
    tie.supervisor = supervisor;
    await edge.open();
    await supervisor.start(new AbortController().signal);
    await edge.start(new AbortController().signal);
    if (reports) {
      await reporting.startLedger();
      await reporting.start(new AbortController().signal);
    }
    this.#agent = { edge, supervisor, board, log, gate, reporting };
    return this.#agent;
  }

  /** Ends the agent; edgecore runs on. */
  async stopAgent(): Promise<void> {
    await this.#agent?.edge.stop();
    await this.#agent?.supervisor.stop();
    await this.#agent?.reporting.stop();
    this.#agent = undefined;
  }

  /** An order that joins the stand-in cloud. */
  order(over: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
    return {
      cloudcore: `127.0.0.1:${this.cloud.hubPort}`,
      certPort: this.cloud.enrolPort,
      token: this.cloud.token(),
      nodeName: 'board-1',
      ...over,
    };
  }

  /** Ends the container runtime: its socket file stays and nobody listens. */
  async stopRuntime(): Promise<void> {
    await new Promise((resolve) => {
      this.#runtime.close(resolve);
    });
  }

  /** Makes the board one that joined with another runtime, as before an update of its image. */
  async joinedWith(kind: 'docker' | 'cri'): Promise<void> {
    for (const name of nodeRecordFiles) {
      const file = `${this.places.stateDir}/${name}`;
      const record = JSON.parse(await readFile(file, 'utf8')) as { runtime: { kind: string } };
      await writeFile(file, JSON.stringify({ ...record, runtime: { ...record.runtime, kind } }));
    }
  }

  /** Faults of the edgecore stand-in. */
  async fault(faults: object): Promise<void> {
    await writeFile(`${this.home}/faults.json`, JSON.stringify(faults));
  }

  /** Resolves when the cloud sees the node, connected or not. */
  async seen(node: string): Promise<void> {
    await this.cloud.store.until(() => (this.cloud.nodes().includes(node) ? true : undefined), patience());
  }

  /** Resolves when edgecore's unit is as wanted; rejects after 20 s. */
  async until(supervisor: Supervisor, isTrue: (status: UnitStatus) => boolean): Promise<void> {
    const late = patience();
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        const [status] = supervisor.status();
        if (status === undefined || !isTrue(status)) return;
        end();
        resolve();
      };
      const end = supervisor.watch(look);
      late.addEventListener('abort', () => reject(new Error(JSON.stringify(supervisor.status()))), {
        once: true,
      });
      look();
    });
  }

  /** edgecore.yaml as data. */
  async yaml(): Promise<ReturnType<typeof parse>> {
    return parse(await readFile(this.places.configFile, 'utf8'));
  }

  /** Every file below the board's directory but sockets, pipes and the stand-in's own program, with its mode. */
  async everyFile(): Promise<
    readonly { readonly file: string; readonly text: string; readonly mode: number }[]
  > {
    const names = await readdir(this.home, { recursive: true });
    const found = await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.home, name);
        const facts = await stat(file).catch(() => undefined);
        if (facts?.isFile() !== true || name.startsWith('kubeedge/')) return undefined;
        return { file, text: await readFile(file, 'latin1'), mode: facts.mode & 0o777 };
      }),
    );
    return found.filter((one) => one !== undefined);
  }

  /** Ends everything and removes the board. */
  async [Symbol.asyncDispose](): Promise<void> {
    const agent = this.#agent;
    await agent?.edge.stop();
    await agent?.supervisor.shutdown({ totalMs: 5000 });
    await agent?.supervisor.stop();
    await agent?.reporting.stop();
    await this.cloud.stop();
    this.#runtime.close();
    await rm(this.home, { recursive: true, force: true });
  }

  /** The operator's file moves the ports away from those of other tests, and plugins are there as parts. */
  async #furnish(): Promise<void> {
    for (const name of ['run', 'data/log', 'data/state/units', 'product/cni', 'etc/kubeedge/config']) {
      await mkdir(`${this.home}/${name}`, { recursive: true });
    }
    for (const plugin of ['bridge', 'host-local', 'loopback', 'portmap']) {
      await writeFile(`${this.home}/product/cni/${plugin}`, '#!/bin/sh\n', { mode: 0o755 });
    }
    await new Promise<void>((resolve) => {
      this.#runtime.listen(`${this.home}/run/containerd.sock`, resolve);
    });
    const edged = {
      tailoredKubeletConfig: { readOnlyPort: this.ports.health, nodeStatusUpdateFrequency: '0.3s' },
    };
    const hub = {
      heartbeat: 0.3,
      tlsCaFile: this.places.caFile,
      tlsCertFile: this.places.certFile,
      tlsPrivateKeyFile: this.places.keyFile,
    };
    const bus = { mqttServerInternal: `tcp://127.0.0.1:${this.ports.mqtt}`, mqttMode: 0 };
    await writeFile(this.places.configFile, stringify({ modules: { edged, edgeHub: hub, eventBus: bus } }));
  }
}
