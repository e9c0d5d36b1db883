import type { Random } from '../core/clock.ts';
import type { UnitLogs } from '../core/unit-logs.ts';
import type { UnitPolicy, UnitSpec } from '../core/unit-spec.ts';
import { type ContainerdSettings, ContainerdUnit, containerdSocket } from './containerd.ts';
import { DockerdUnit } from './dockerd.ts';
import type { DockerdPlaces, DockerdSettings } from './dockerd-config.ts';
import type { DockerdPorts } from './dockerd-options.ts';
import { Supervisor } from './supervisor.ts';

/** The slice of the configuration that the supervision is made from; `Config` fits as it is. */
export interface SupervisorSettings extends DockerdSettings, ContainerdSettings {
  readonly 'dockerd.enabled': boolean;
  readonly 'restart.floorMs': number;
  readonly 'restart.ceilingMs': number;
  readonly 'restart.stableMs': number;
  readonly 'restart.loopFailures': number;
}

/** Everything that the supervision needs; the composition root fills it once. */
export interface SupervisorOptions extends DockerdPorts {
  readonly random: Random;
  readonly logs: UnitLogs;
  readonly nextTurn: () => Promise<void>;
  readonly settings: SupervisorSettings;
  /** Writable home, e.g. `/data/oh-edge-agent`; state goes to `<home>/state`. */
  readonly home: string;
  /** Writable tmpfs for sockets and pid files. @default '/run' */
  readonly runDir?: string;
  /**
   * Environment of the units, asked at each start: PATH (where programs are looked for too), HOME, TMPDIR, SSL_CERT_FILE,
   * DOCKER_INSECURE_NO_IPTABLES_RAW and the like. @default PATH from dockerd.binDir and `defaultPath`, HOME and TMPDIR at home
   */
  readonly env?: () => Readonly<Record<string, string>>;
  /** Name servers for containers, asked at each start. */
  readonly dns?: () => readonly string[];
  /** Whether units sit in the root group of every cgroup hierarchy; false on a Linux whose own init manages groups. @default true */
  readonly isInRootGroups?: boolean;
  /** Whether dockerd's containerd must serve CRI, asked at each start. @default false */
  readonly isCriWanted?: () => boolean;
  /** Further units, e.g. edgecore. */
  readonly units?: readonly UnitSpec[];
}

/** Where programs are looked for after dockerd.binDir: our tools first, then a board's, then an ordinary Linux's. */
export const defaultPath: readonly string[] = [
  '/system/opt/oh-edge-agent/bin',
  '/system/bin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
];

/** Delay after a permanent fault, in milliseconds. */
const permanentMs = 3_600_000;

/** Restart policy of all units from the configuration. */
export function restartPolicy(settings: SupervisorSettings): UnitPolicy['restart'] {
  return {
    floorMs: settings['restart.floorMs'],
    ceilingMs: settings['restart.ceilingMs'],
    stableMs: settings['restart.stableMs'],
    loopFailures: settings['restart.loopFailures'],
    permanentMs,
  };
}

/**
 * Puts the supervision together. Nothing happens before `start(signal)`; `stop()` leaves the processes running for the next
 * agent, `shutdown({ totalMs })` stops them in reverse order. Throws CONFIG_INVALID where the units cannot be ordered.
 */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { settings, home } = options;
  const dockerd = settings['dockerd.enabled'] ? [createDockerd(options)] : [];
  const forgot = (): void => supervisor.restartDependents('containerd');
  const containerd = settings['containerd.enabled'] ? [createContainerd(options, forgot)] : [];
  const specs: readonly UnitSpec[] = [...containerd, ...dockerd, ...(options.units ?? [])];
  const supervisor = new Supervisor(specs, { ...options, recordDir: `${home}/state/units` });
  return supervisor;
}

function environment({ settings, home, env }: SupervisorOptions): Readonly<Record<string, string>> {
  const path = [settings['dockerd.binDir'], ...defaultPath].join(':');
  return { PATH: path, HOME: home, TMPDIR: `${home}/tmp`, ...env?.() };
}

function createContainerd(options: SupervisorOptions, forgot: () => void): ContainerdUnit {
  const { settings, home } = options;
  return new ContainerdUnit(
    {
      settings,
      runDir: options.runDir ?? '/run',
      home,
      restart: restartPolicy(settings),
      env: () => environment(options),
      isInRootGroups: options.isInRootGroups ?? true,
      forgot,
    },
    options,
  );
}

function createDockerd(options: SupervisorOptions): DockerdUnit {
  const { settings, home } = options;
  const places: DockerdPlaces = {
    runDir: options.runDir ?? '/run',
    configFile: `${home}/state/dockerd/daemon.json`,
    home,
    temporaryDir: `${home}/tmp`,
  };
  return new DockerdUnit(
    {
      settings,
      places,
      restart: restartPolicy(settings),
      env: () => environment(options),
      dns: options.dns ?? ((): readonly string[] => []),
      isInRootGroups: options.isInRootGroups ?? true,
      isCriWanted: options.isCriWanted ?? ((): boolean => false),
      containerd: settings['containerd.enabled'] ? containerdSocket(places.runDir) : undefined,
    },
    options,
  );
}
