// Stands in for an agent that supervises dockerd only: argv[2] home, argv[3] directory of dockerd. Prints each event as a
// line of JSON. A line on standard input is a file to put in for dockerd, or `rollback`. SIGTERM stops the units and ends; SIGKILL is the crash that the next one must cope with.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { defaultConfig } from '../../agent/config/default-config.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { ContainerdClient } from '../../agent/host/containerd-client.ts';
import { DockerClient } from '../../agent/host/docker-client.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostPrograms, HostSockets } from '../../agent/host/host-programs.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { JsonLog } from '../../agent/host/json-log.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { HostPartDisk } from '../../agent/host/part-disk.ts';
import { HostPartIntake } from '../../agent/host/part-intake.ts';
import { HostProgramText } from '../../agent/host/program-text.ts';
import { RotatingFile } from '../../agent/host/rotating-file.ts';
import { SystemClock, systemRandom } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { createSupervisor } from '../../agent/units/create-supervisor.ts';
import { Updater } from '../../agent/update/updater.ts';

const [home = '', binDir = ''] = process.argv.slice(2);
const clock = new SystemClock();
const board = new HealthBoard(clock);
const budget = { fileBytes: 1_048_576, files: 3 };
const log = new JsonLog(new RotatingFile(`${home}/log/agent.log`, budget), clock, 'info');
const commands = new ToolRunner({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin' });
const supervisor = createSupervisor({
  clock,
  random: systemRandom,
  nextTurn,
  board,
  log,
  commands,
  files: new FileStore(),
  containerd: new ContainerdClient(),
  docker: new DockerClient('/run/docker.sock'),
  processes: new HostProcesses(log, '/tmp'),
  programs: new HostPrograms(),
  sockets: new HostSockets(),
  logs: new HostUnitLogs({
    clock,
    commands,
    makePipe: ['/usr/bin/mkfifo'],
    logDir: `${home}/log`,
    pipeDir: `${home}/run/pipes`,
    budget,
  }),
  settings: {
    ...defaultConfig(),
    'dockerd.binDir': binDir,
    'dockerd.dataRoot': `${home}/docker`,
    'dockerd.pingMs': 1_000,
    'dockerd.deepMs': 10_000,
    'restart.loopFailures': 100,
    'restart.stableMs': 500,
    'restart.floorMs': 200,
    'restart.ceilingMs': 2_000,
  },
  home,
});
board.watch((event) => console.log(JSON.stringify({ event: event.event, ...event.fields })));
const alive = setInterval(() => undefined, 1_000);
process.on('SIGTERM', () => {
  void supervisor.shutdown({ totalMs: 25_000 }).then(async () => {
    await updater.stop();
    await supervisor.stop();
    process.stdin.destroy();
    clearInterval(alive);
  });
});
const limits = { readyMs: 60_000, stableMs: 3_000, processes: 3, stopMs: 60_000 };
const updater = new Updater(
  {
    home,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    launched: undefined,
    imagePaths: { dockerd: `${binDir}/dockerd`, edgecore: '/none', agent: '/none' },
    limits: { dockerd: limits, edgecore: limits, agent: limits },
    restartAgent: () => undefined,
  },
  {
    clock,
    board,
    log,
    commands,
    files: new FileStore(),
    programs: new HostPrograms(),
    disk: new HostPartDisk(),
    intake: new HostPartIntake(),
    text: new HostProgramText(),
    units: () => supervisor,
  },
);
const { signal } = new AbortController();
await updater.open();
await supervisor.start(signal);
updater.start(signal);
createInterface({ input: process.stdin }).on('line', (line) => {
  const change =
    line === 'rollback'
      ? updater.rollback('dockerd')
      : updater.update('dockerd', { file: line, isDryRun: false }, signal);
  change.then(
    (answer) => console.log(JSON.stringify({ event: 'answer', ...answer })),
    (error: unknown) => console.log(JSON.stringify({ event: 'answer', ok: false, outcome: String(error) })),
  );
});
