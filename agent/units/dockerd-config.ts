/** The slice of the configuration that dockerd is made from; keys as in the configuration file. */
export interface DockerdSettings {
  readonly 'dockerd.binDir': string;
  readonly 'dockerd.dataRoot': string;
  readonly 'dockerd.storageDriver': string;
  readonly 'dockerd.config': Readonly<Record<string, unknown>>;
  readonly 'dockerd.startMs': number;
  readonly 'dockerd.stopMs': number;
  readonly 'dockerd.pingMs': number;
  readonly 'dockerd.deepMs': number;
}

/** Where dockerd keeps what must not outlive a boot, and where we keep what it needs from us. */
export interface DockerdPlaces {
  /** tmpfs, so that pid files and sockets never survive a reboot. */
  readonly runDir: string;
  readonly configFile: string;
  readonly home: string;
  readonly temporaryDir: string;
}

/** What the generated daemon.json says, as far as others depend on it. */
export interface DaemonConfig {
  readonly text: string;
  readonly execRoot: string;
  readonly pidFile: string;
  readonly socket: string;
  readonly dataRoot: string;
  /** Socket of the containerd behind it, its own or another one. */
  readonly containerd: string;
  readonly storageDriver: string;
  readonly cgroupDriver: string;
}

/** What decides the content besides the settings. */
export interface DaemonFacts {
  /** Major version of dockerd, or undefined where it does not tell. */
  readonly major: number | undefined;
  /** Name servers for containers; none leaves dockerd its own choice. */
  readonly dns: readonly string[];
  /** Whether edgecore asks the containerd of dockerd for pods. */
  readonly isCriWanted?: boolean;
  /** Socket of a containerd that dockerd must use; without one dockerd starts its own. */
  readonly containerd?: string | undefined;
}

/**
 * Text of daemon.json. The operator's keys are merged last and win, but our socket always stays. Versions before 23 write a
 * key file to /etc/docker, which is read-only on a board, so it is moved (moby cmd/dockerd/config.go, deprecated-key-path).
 */
export function daemonConfig(
  settings: DockerdSettings,
  places: DockerdPlaces,
  facts: DaemonFacts,
): DaemonConfig {
  const socket = `${places.runDir}/docker.sock`;
  const ours = {
    'data-root': settings['dockerd.dataRoot'],
    'exec-root': `${places.runDir}/docker`,
    pidfile: `${places.runDir}/docker.pid`,
    hosts: [`unix://${socket}`],
    'storage-driver': settings['dockerd.storageDriver'],
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'live-restore': true,
    'log-driver': 'local',
    'log-opts': { 'max-size': '5m', 'max-file': '2' },
    'userland-proxy': false,
    'max-concurrent-downloads': 1,
    'shutdown-timeout': 15,
    ...(facts.dns.length > 0 ? { dns: facts.dns } : {}),
    // The containerd of dockerd serves CRI at <exec-root>/containerd/containerd.sock then (moby cmd/dockerd, 18.09 and later).
    ...(facts.containerd === undefined ? {} : { containerd: facts.containerd }),
    ...(facts.isCriWanted === true ? { 'cri-containerd': true } : {}),
    ...(facts.major !== undefined && facts.major < 23
      ? { 'deprecated-key-path': `${places.home}/state/docker-key.json` }
      : {}),
  };
  const merged: Record<string, unknown> = { ...ours, ...settings['dockerd.config'] };
  merged['hosts'] = withSocket(merged['hosts'], ours.hosts);
  const execRoot = textOr(merged['exec-root'], ours['exec-root']);
  return {
    text: `${JSON.stringify(merged, undefined, 2)}\n`,
    execRoot,
    containerd: textOr(merged['containerd'], `${execRoot}/containerd/containerd.sock`),
    pidFile: textOr(merged['pidfile'], ours.pidfile),
    dataRoot: textOr(merged['data-root'], ours['data-root']),
    storageDriver: textOr(merged['storage-driver'], ours['storage-driver']),
    cgroupDriver: cgroupDriver(merged['exec-opts']),
    socket,
  };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function withSocket(hosts: unknown, ours: readonly string[]): readonly unknown[] {
  const listed: readonly unknown[] = Array.isArray(hosts) ? hosts : [];
  return [...ours, ...listed.filter((host) => !ours.includes(String(host)))];
}

function cgroupDriver(options: unknown): string {
  const listed: readonly unknown[] = Array.isArray(options) ? options : [];
  const found = listed
    .map((option) => /^native\.cgroupdriver=(\w+)$/.exec(String(option))?.[1])
    .findLast((name) => name !== undefined);
  return found ?? 'cgroupfs';
}

/** Major number in what `dockerd --version` prints, e.g. `Docker version 20.10.24+dfsg1, build 297e128`. */
export function majorVersion(text: string): number | undefined {
  const match = /version v?(\d+)\./.exec(text);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}
