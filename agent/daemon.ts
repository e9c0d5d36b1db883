import { createApi } from './api/api.ts';
import type { Verbs } from './api/verbs.ts';
import { ApiKeeper } from './api-keeper.ts';
import { ComposedDaemon, type Daemon } from './composed-daemon.ts';
import { parseDeclaredUnits } from './config/declared-units.ts';
import { loadConfig, problemTexts } from './config/load.ts';
import { AgentError, isAgentError } from './core/agent-error.ts';
import type { Api } from './core/api-port.ts';
import { SpeakerGate } from './core/speaker-gate.ts';
import type { UnitSpec } from './core/unit-spec.ts';
import { Edge } from './edge/edge.ts';
import { edgePlaces } from './edge/edge-places.ts';
import { groundSettings } from './ground-settings.ts';
import { HealthBoard } from './health/board.ts';
import { HostCloudProbe } from './host/cloud-probe.ts';
import { ContainerdClient } from './host/containerd-client.ts';
import { DockerClient } from './host/docker-client.ts';
import { FileStore } from './host/file-store.ts';
import { HostGroundExecutor } from './host/ground-executor.ts';
import { HostGroundObserver } from './host/ground-observer.ts';
import { HostGroundProbes } from './host/ground-probes.ts';
import { HostProcesses } from './host/host-processes.ts';
import { HostProductFiles } from './host/host-product-files.ts';
import { HostPrograms, HostSockets } from './host/host-programs.ts';
import { HostUnitLogs } from './host/host-unit-logs.ts';
import { HttpsDate } from './host/https-date.ts';
import { JsonLog } from './host/json-log.ts';
import { HostLocalNet } from './host/local-net.ts';
import { nextTurn } from './host/next-turn.ts';
import { HostProgramText } from './host/program-text.ts';
import { RotatingFile } from './host/rotating-file.ts';
import { SystemClock } from './host/system-clock.ts';
import { ToolRunner } from './host/tool-runner.ts';
import { PartsKeeper } from './parts/parts-keeper.ts';
import type { Places } from './places.ts';
import { createPrep } from './prep/create-prep.ts';
import { Reporting } from './reporting.ts';
import { createSupervisor, restartPolicy, type SupervisorOptions } from './units/create-supervisor.ts';
import { DeclaredUnit } from './units/declared-unit.ts';
import type { Supervisor } from './units/supervisor.ts';
import { createUpdater } from './updates.ts';
import { createVerbs } from './verbs.ts';

const dockerSocket = '/run/docker.sock';

/** Builds every room and ties them together; the only place that knows all of them. `leave` ends the agent to be started anew. */
export async function createDaemon(places: Places, leave: () => void): Promise<Daemon> {
  const clock = new SystemClock();
  const files = new FileStore();
  await files.makeDirectory(`${places.home}/state`, 0o700).catch(() => undefined);
  const loaded = await loadConfig(files, places.configFile, `${places.home}/state/agent.last-good.json`);
  const { config } = loaded;
  const budget = {
    fileBytes: config['log.fileBytes'],
    files: config['log.files'],
    fileMs: config['log.fileHours'] * 3_600_000,
  };
  const log = new JsonLog(
    new RotatingFile(`${places.home}/log/agent.log`, budget),
    clock,
    config['log.level'],
  );
  const board = new HealthBoard(clock);
  const commands = new ToolRunner({ PATH: '/nonexistent', LC_ALL: 'C' });
  const programs = new HostPrograms();
  const docker = new DockerClient(dockerSocket);
  const { busybox } = places;
  const logs = new HostUnitLogs({
    clock,
    commands,
    makePipe: [busybox, 'mkfifo'],
    logDir: `${places.home}/log`,
    pipeDir: `${places.home}/run/pipes`,
    budget,
  });
  const configProblems = [...problemTexts(places.configFile, loaded.problems)];
  const prep = createPrep({
    settings: groundSettings(config, places),
    observer: new HostGroundObserver(commands, busybox, `${places.home}/run`),
    executor: new HostGroundExecutor(commands, busybox),
    board,
    log,
    clock,
    files,
    programs,
    probes: new HostGroundProbes(commands, busybox, `${places.home}/run`),
    configProblems,
    nodeName: config['node.name'],
    isDockerWanted: config['dockerd.enabled'],
    time: new HttpsDate(),
    sources: () => [...config['prep.timeSources'], ...edge.timeSources],
  });
  const gate = new SpeakerGate();
  // Tied last: the supervision holds the unit of the edge room, and both answer through the same verbs.
  const tie: { supervisor?: Supervisor; verbs?: Verbs; api?: Api } = {};
  const isInRootGroups = config['prep.enabled'] && config['prep.root'] !== 'host';
  const sockets = new HostSockets();
  const edge = new Edge({
    config,
    places: edgePlaces({
      ...places,
      dockerBinDir: config['dockerd.binDir'],
      hasOwnContainerd: config['containerd.enabled'],
    }),
    restart: restartPolicy(config),
    env: () => prep.unitEnvironment(),
    isInRootGroups,
    clock,
    commands,
    docker,
    files,
    net: new HostLocalNet(),
    cloud: new HostCloudProbe(),
    programs,
    sockets,
    text: new HostProgramText(),
    logs,
    board,
    log,
    gate,
    retract: (signal) => reporting.retract(signal),
    units: () => tied(tie.supervisor),
  });
  const reporting = new Reporting({
    config,
    home: places.home,
    clock,
    random: Math.random,
    board,
    log,
    files,
    docker,
    unitLogs: logs,
    nodes: edge.nodes,
    gate,
    verbs: () => tied(tie.verbs),
    api: () => tied(tie.api),
    leave,
  });
  const supervised = {
    settings: config,
    home: places.home,
    clock,
    random: Math.random,
    commands,
    containerd: new ContainerdClient(),
    docker,
    files,
    processes: new HostProcesses(log, `${places.home}/run`),
    programs,
    sockets,
    logs,
    board,
    log,
    nextTurn,
    env: () => prep.unitEnvironment(),
    dns: () => config['prep.dns'],
    isInRootGroups,
    isCriWanted: () => edge.needsManagedCri,
  };
  const declared = parseDeclaredUnits(config.units).units.map(
    (unit) => new DeclaredUnit(unit, { ...supervised, restart: restartPolicy(config) }),
  );
  const own = config['edgecore.enabled'] ? [edge.unit] : [];
  const supervisor = createOrderedSupervisor(supervised, { own, declared }, configProblems);
  tie.supervisor = supervisor;
  const updater = createUpdater({
    config,
    places,
    clock,
    files,
    programs,
    commands,
    board,
    log,
    units: () => supervisor,
    leave,
  });
  const verbs = createVerbs({
    clock,
    board,
    prep,
    supervisor,
    logs,
    docker,
    config,
    configProblems,
    busybox,
    edge,
    reporting,
    updater,
    leave,
  });
  const api = createApi({ verbs, log });
  Object.assign(tie, { verbs, api });
  const keeper = new ApiKeeper({
    api,
    board,
    clock,
    log,
    home: places.home,
    group: config['api.group'],
  });
  const parts = new PartsKeeper({
    clock,
    board,
    log,
    files,
    product: new HostProductFiles(busybox),
    manifest: `${places.product}/manifest.json`,
    record: `${places.home}/state/product-sums.json`,
  });
  return new ComposedDaemon({
    board,
    parts,
    log,
    loaded,
    config,
    configProblems,
    keeper,
    prep,
    supervisor,
    edge,
    reporting,
    updater,
  });
}

/** Units that cannot be ordered are left out and reported: dockerd must not stay down for them. */
function createOrderedSupervisor(
  options: SupervisorOptions,
  units: { readonly own: readonly UnitSpec[]; readonly declared: readonly UnitSpec[] },
  problems: string[],
): Supervisor {
  try {
    return createSupervisor({ ...options, units: [...units.own, ...units.declared] });
  } catch (error) {
    if (!isAgentError(error, 'CONFIG_INVALID')) throw error;
    problems.push(error.message);
    return createSupervisor({ ...options, units: units.own });
  }
}

/** The rooms know each other through functions that are first called when all of them are there. */
function tied<T>(part: T | undefined): T {
  if (part === undefined) throw new AgentError('BUG', 'Cannot use a room: it is not built yet');
  return part;
}
