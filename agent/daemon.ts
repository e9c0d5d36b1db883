import { createApi } from './api/api.ts';
import { ApiKeeper } from './api-keeper.ts';
import type { Config } from './config/config.ts';
import { parseDeclaredUnits } from './config/declared-units.ts';
import { type LoadedConfig, loadConfig, problemText } from './config/load.ts';
import { isAbort, isAgentError } from './core/agent-error.ts';
import type { UnitSpec } from './core/unit-spec.ts';
import { groundSettings } from './ground-settings.ts';
import { HealthBoard } from './health/board.ts';
import { DockerClient } from './host/docker-client.ts';
import { FileStore } from './host/file-store.ts';
import { HostGroundExecutor } from './host/ground-executor.ts';
import { HostGroundObserver } from './host/ground-observer.ts';
import { HostGroundProbes } from './host/ground-probes.ts';
import { HostProcesses } from './host/host-processes.ts';
import { HostPrograms, HostSockets } from './host/host-programs.ts';
import { HostUnitLogs } from './host/host-unit-logs.ts';
import { JsonLog } from './host/json-log.ts';
import { RotatingFile } from './host/rotating-file.ts';
import { SystemClock } from './host/system-clock.ts';
import { ToolRunner } from './host/tool-runner.ts';
import type { Places } from './places.ts';
import { createPrep, type Prep } from './prep/create-prep.ts';
import { createSupervisor, restartPolicy, type SupervisorOptions } from './units/create-supervisor.ts';
import { DeclaredUnit } from './units/declared-unit.ts';
import type { Supervisor } from './units/supervisor.ts';
import { createVerbs } from './verbs.ts';

/** Everything that one agent is made of, built and not yet started. */
export interface Daemon {
  /** Answers first, then prepares the ground, then brings up the units. Rejects where another agent runs here already. */
  start(signal: AbortSignal): Promise<void>;
  /** Ends the agent; its units run on and are taken over by the next one. */
  stop(): Promise<void>;
}

const dockerSocket = '/run/docker.sock';

/** Builds every room and ties them together; the only place that knows all of them. */
export async function createDaemon(places: Places): Promise<Daemon> {
  const clock = new SystemClock();
  const files = new FileStore();
  await files.makeDirectory(`${places.home}/state`, 0o700).catch(() => undefined);
  const loaded = await loadConfig(files, places.configFile, `${places.home}/state/agent.last-good.json`);
  const { config } = loaded;
  const budget = { fileBytes: config['log.fileBytes'], files: config['log.files'] };
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
  const configProblems = loaded.problems.map((problem) => problemText(places.configFile, problem));
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
  });
  const supervised = {
    settings: config,
    home: places.home,
    clock,
    random: Math.random,
    commands,
    docker,
    files,
    processes: new HostProcesses(log),
    programs,
    sockets: new HostSockets(),
    logs,
    board,
    log,
    env: () => prep.unitEnvironment(),
    dns: () => config['prep.dns'],
    isInRootGroups: config['prep.enabled'] && config['prep.root'] !== 'host',
  };
  const declared = parseDeclaredUnits(config.units).units.map(
    (unit) => new DeclaredUnit(unit, { ...supervised, restart: restartPolicy(config) }),
  );
  const supervisor = createOrderedSupervisor(supervised, declared, configProblems);
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
  });
  const keeper = new ApiKeeper({
    api: createApi({ verbs, log }),
    board,
    clock,
    log,
    home: places.home,
    group: config['api.group'],
  });
  return new ComposedDaemon({ board, log, loaded, config, configProblems, keeper, prep, supervisor });
}

/** Units that cannot be ordered are left out and reported: dockerd must not stay down for them. */
function createOrderedSupervisor(
  options: SupervisorOptions,
  units: readonly UnitSpec[],
  problems: string[],
): Supervisor {
  try {
    return createSupervisor({ ...options, units });
  } catch (error) {
    if (!isAgentError(error, 'CONFIG_INVALID')) throw error;
    problems.push(error.message);
    return createSupervisor(options);
  }
}

interface Rooms {
  readonly board: HealthBoard;
  readonly log: JsonLog;
  readonly loaded: LoadedConfig;
  readonly config: Config;
  readonly configProblems: readonly string[];
  readonly keeper: ApiKeeper;
  readonly prep: Prep;
  readonly supervisor: Supervisor;
}

/** Order of start and stop; no logic besides. */
class ComposedDaemon implements Daemon {
  readonly #rooms: Rooms;
  readonly #over = new AbortController();
  #bringUp: Promise<void> = Promise.resolve();

  constructor(rooms: Rooms) {
    this.#rooms = rooms;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { keeper, log, board, supervisor, config } = this.#rooms;
    const until = AbortSignal.any([signal, this.#over.signal]);
    this.#reportConfig();
    if (config['prep.enabled']) {
      board.set('Prepared', 'unknown', {
        reason: 'NotLookedYet',
        message: 'The ground work has not looked yet',
      });
    }
    supervisor.announce();
    await keeper.start();
    this.#bringUp = this.#prepareAndSupervise(until).catch((error: unknown) => {
      if (!isAbort(error)) log.error('daemon.start.failed', { error });
    });
  }

  async stop(): Promise<void> {
    const { keeper, prep, supervisor, log } = this.#rooms;
    this.#over.abort(new DOMException('The agent stops', 'AbortError'));
    await this.#bringUp;
    await supervisor.stop();
    await prep.stop();
    await keeper.stop();
    log.info('agent.stopped');
  }

  async #prepareAndSupervise(signal: AbortSignal): Promise<void> {
    const { prep, supervisor, config } = this.#rooms;
    if (!config['prep.enabled']) {
      await supervisor.start(signal);
      return;
    }
    await prep.start(signal);
    // Units of an earlier agent sit on a ground that was good enough for them: they are taken over at once, not when
    // the last step has worked.
    await prep.prepared(signal);
    await supervisor.start(signal);
  }

  #reportConfig(): void {
    const { board, log, loaded, configProblems } = this.#rooms;
    if (configProblems.length === 0) {
      board.set('ConfigValid', 'true', {
        reason: 'Parsed',
        message: `The configuration comes from: ${loaded.source}`,
      });
      return;
    }
    const message = `${configProblems.join('; ')}. Running on: ${loaded.source}. Correct the file and restart the agent`;
    board.set('ConfigValid', 'false', { reason: 'Invalid', message });
    log.error('config.invalid', { problems: configProblems, source: loaded.source });
  }
}
