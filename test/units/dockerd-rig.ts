import { HealthBoard } from '../../agent/health/board.ts';
import { nextTurn } from '../../agent/host/next-turn.ts';
import { DockerdUnit } from '../../agent/units/dockerd.ts';
import { Supervisor } from '../../agent/units/supervisor.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeCommands } from '../fakes/fake-commands.ts';
import { FakeContainerd } from '../fakes/fake-containerd.ts';
import { FakeDisk } from '../fakes/fake-disk.ts';
import { FakeDockerd } from '../fakes/fake-dockerd.ts';
import { FakeProcesses } from '../fakes/fake-processes.ts';
import { FakePrograms, FakeSockets } from '../fakes/fake-programs.ts';
import { fakePolicy } from '../fakes/fake-unit.ts';
import { FakeUnitLogs } from '../fakes/fake-unit-logs.ts';
import { QuietLog } from '../fakes/quiet-log.ts';

/** Settings as the configuration has them by default. */
export const settings = {
  'dockerd.binDir': '/parts/docker',
  'dockerd.dataRoot': '/data/docker',
  'dockerd.storageDriver': 'overlay2',
  'dockerd.config': {},
  'dockerd.startMs': 300_000,
  'dockerd.stopMs': 30_000,
  'dockerd.pingMs': 10_000,
  'dockerd.deepMs': 60_000,
};

/** Where the unit of the rig keeps its things. */
export const places = {
  runDir: '/run',
  configFile: '/data/agent/state/dockerd/daemon.json',
  home: '/data/agent',
  temporaryDir: '/data/agent/tmp',
};

/** A dockerd unit on a machine of fakes that has all three programs. */
export class DockerdRig {
  readonly clock = new FakeClock();
  readonly commands = new FakeCommands();
  readonly containerd = new FakeContainerd();
  readonly disk = new FakeDisk();
  readonly docker = new FakeDockerd();
  readonly processes = new FakeProcesses();
  readonly programs = new FakePrograms();
  readonly sockets = new FakeSockets();
  readonly board = new HealthBoard(this.clock);
  readonly log = new QuietLog();
  readonly unit: DockerdUnit;
  /** Whether edgecore asks the containerd of dockerd for pods. */
  isCriWanted = false;

  constructor(changes: Partial<typeof settings> = {}) {
    for (const name of ['dockerd', 'containerd', 'runc']) this.programs.put(`/parts/docker/${name}`);
    this.version('20.10.24');
    this.unit = new DockerdUnit(
      {
        settings: { ...settings, ...changes },
        places,
        restart: fakePolicy.restart,
        env: () => ({ PATH: '/parts/docker:/system/bin', HOME: '/root' }),
        dns: () => ['192.168.1.1'],
        isInRootGroups: true,
        isCriWanted: () => this.isCriWanted,
      },
      { ...this, files: this.disk },
    );
  }

  /** A supervisor of this dockerd alone. */
  supervisor(): Supervisor {
    const { clock, processes, programs, board, log, disk: files } = this;
    const ports = { clock, nextTurn, processes, programs, board, log, files, logs: new FakeUnitLogs() };
    return new Supervisor([this.unit], { ...ports, random: () => 0.5, recordDir: '/state/units' });
  }

  /** Version that the dockerd of this machine prints. */
  version(text: string): void {
    const printed = `Docker version ${text}, build 297e128\n`;
    this.commands.outputs.set('/parts/docker/dockerd --version', printed);
  }

  /** Events recorded so far, by name. */
  events(): readonly string[] {
    return this.board.eventsAfter(0).map((entry) => entry.event);
  }
}
