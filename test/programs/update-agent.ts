// Stands in for an agent that supervises one unit and updates it: argv[2] is its home, where `image/edgecore` is what the
// image brought. Each line on standard input is a file to put in; each event and answer is a line of JSON. SIGKILL is the
// crash that the next one has to cope with.

import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { explainEnd } from '../../agent/core/end-faults.ts';
import type { UnitSpec } from '../../agent/core/unit-spec.ts';
import { HealthBoard } from '../../agent/health/board.ts';
import { FileStore } from '../../agent/host/file-store.ts';
import { HostProcesses } from '../../agent/host/host-processes.ts';
import { HostPrograms } from '../../agent/host/host-programs.ts';
import { HostUnitLogs } from '../../agent/host/host-unit-logs.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { HostPartDisk } from '../../agent/host/part-disk.ts';
import { HostPartIntake } from '../../agent/host/part-intake.ts';
import { HostProgramText } from '../../agent/host/program-text.ts';
import { SystemClock } from '../../agent/host/system-clock.ts';
import { ToolRunner } from '../../agent/host/tool-runner.ts';
import { Supervisor } from '../../agent/units/supervisor.ts';
import { Updater } from '../../agent/update/updater.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

const home = process.argv[2] ?? '';
const image = `${home}/image/edgecore`;
const part = `${home}/parts/edgecore/current/edgecore`;
const clock = new SystemClock();
const log = new QuietLog();
const board = new HealthBoard(clock);
const files = new FileStore();
const programs = new HostPrograms();
const commands = new ToolRunner({ PATH: '/usr/bin:/bin' });

const unit: UnitSpec = {
  name: 'edgecore',
  needs: [],
  condition: 'EdgecoreReady',
  policy: {
    ...fakePolicy,
    probeMs: 100,
    restart: { ...fakePolicy.restart, floorMs: 50, ceilingMs: 100, loopFailures: 3 },
  },
  causes: [],
  programs: [part, `${home}/parts/edgecore/former/edgecore`, image],
  prepare: async () => ({ argv: [existsSync(part) ? part : image, '1000000'], env: {}, cwd: '/' }),
  // Ready is who still runs a moment after its start.
  probe: async (_depth, signal) => {
    await clock.sleep(50, signal);
    return { verdict: 'ready' };
  },
  explain: (ended, lines) => explainEnd(ended, lines, []),
  isInstance: ({ argv }) => argv.includes('1000000'),
};

const logs = new HostUnitLogs({
  clock,
  commands,
  makePipe: ['/usr/bin/mkfifo'],
  logDir: `${home}/log`,
  pipeDir: `${home}/pipes`,
  budget: { fileBytes: 1_048_576, files: 2 },
});
const supervisor = new Supervisor([unit], {
  clock,
  random: Math.random,
  nextTurn,
  board,
  log,
  files,
  programs,
  processes: new HostProcesses(log, '/tmp'),
  logs,
  recordDir: `${home}/state/units`,
});
const limits = { readyMs: 5_000, stableMs: 300, processes: 3, stopMs: 5_000 };
const updater = new Updater(
  {
    home,
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    launched: undefined,
    imagePaths: { dockerd: '/none', edgecore: image, agent: '/none' },
    limits: { dockerd: limits, edgecore: limits, agent: limits },
    restartAgent: () => undefined,
  },
  {
    clock,
    log,
    board,
    files,
    programs,
    commands,
    disk: new HostPartDisk(),
    intake: new HostPartIntake(),
    text: new HostProgramText(),
    units: () => supervisor,
  },
);

const say = (value: object): void => console.log(JSON.stringify(value));
board.watch(({ event, fields }) => say({ event, ...fields }));
const signal = new AbortController().signal;
await updater.open();
await supervisor.start(signal);
updater.start(signal);
say({ event: 'begun' });
for await (const file of createInterface({ input: process.stdin })) {
  await updater.update('edgecore', { file, isDryRun: false }, signal).then(
    (answer) => say({ event: 'answer', ...answer }),
    (error: unknown) => say({ event: 'refusal', message: String(error) }),
  );
}
