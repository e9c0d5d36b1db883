import type { Clock } from '../core/clock.ts';
import type { Commands } from '../core/commands.ts';
import type { ContainerdApi } from '../core/containerd-api.ts';
import type { DockerApi } from '../core/docker.ts';
import type { Files } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Processes } from '../core/process.ts';
import type { Programs, UnixSockets } from '../core/program.ts';
import type { UnitPolicy } from '../core/unit-spec.ts';
import type { HealthBoard } from '../health/board.ts';
import type { DockerdPlaces, DockerdSettings } from './dockerd-config.ts';

/** What the dockerd unit needs from outside. */
export interface DockerdPorts {
  readonly clock: Clock;
  readonly commands: Commands;
  readonly containerd: ContainerdApi;
  readonly docker: DockerApi;
  readonly files: Files;
  readonly processes: Processes;
  readonly programs: Programs;
  readonly sockets: UnixSockets;
  readonly board: HealthBoard;
  readonly log: Log;
}

/** How the dockerd unit is set up. */
export interface DockerdOptions {
  readonly settings: DockerdSettings;
  readonly places: DockerdPlaces;
  readonly restart: UnitPolicy['restart'];
  /** Whole environment at the moment of the start; PATH in it is where programs are looked for. */
  readonly env: () => Readonly<Record<string, string>>;
  /** Name servers for containers at the moment of the start. */
  readonly dns: () => readonly string[];
  readonly isInRootGroups: boolean;
  /** Whether edgecore asks the containerd of dockerd for pods, at the moment of the start. */
  readonly isCriWanted: () => boolean;
  /** Socket of the unit `containerd`; without one dockerd brings its own. */
  readonly containerd?: string | undefined;
}
