import { currentPart, formerPart } from '../core/part-places.ts';

/** Where edgecore and what belongs to it are found; all paths absolute. */
export interface EdgePlaces {
  /** edgecore's own directory. @see https://kubeedge.io: /etc/kubeedge */
  readonly etc: string;
  readonly configFile: string;
  /** edgecore 1.13 and later take the token from here on every start (common/constants/default.go). */
  readonly bootstrapFile: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** SQLite database of pods, devices and leases. */
  readonly databaseFile: string;
  /** Directory of our records, mode 0700. */
  readonly stateDir: string;
  /** A board that finds this file joins by itself, once. */
  readonly joinFile: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  /** CNI plugins as they were delivered. */
  readonly cniSourceDir: string;
  /** Archive of a sandbox image for boards without a registry. */
  readonly pauseArchive: string;
  /** edgecore that was put in by an update and wins over the configured one; absent where there is none. */
  readonly edgecorePart: string;
  /** The one before it, which may still run. */
  readonly formerEdgecorePart: string;
  /** Directory of docker, ctr and containerd. */
  readonly dockerBinDir: string;
  readonly busybox: string;
  /** Socket of dockerd. */
  readonly dockerSocket: string;
  /** CRI socket of the containerd that the agent supervises, or that dockerd manages. */
  readonly containerdSocket: string;
}

/** What decides the places. */
export interface PlaceSources {
  /** Writable home, e.g. /data/oh-edge-agent. */
  readonly home: string;
  /** Read-only product directory. */
  readonly product: string;
  readonly busybox: string;
  readonly dockerBinDir: string;
  /** @default '/run' */
  readonly runDir?: string;
  /** Whether the agent supervises a containerd of its own instead of leaving it to dockerd. @default false */
  readonly hasOwnContainerd?: boolean;
  /** Root of edgecore's own paths, for tests. @default '' */
  readonly root?: string;
}

/** The usual places of one agent. */
export function edgePlaces({ home, product, busybox, dockerBinDir, ...rest }: PlaceSources): EdgePlaces {
  const { runDir = '/run', root = '' } = rest;
  const etc = `${root}/etc/kubeedge`;
  return {
    etc,
    configFile: `${etc}/config/edgecore.yaml`,
    bootstrapFile: `${etc}/bootstrap-edgecore.conf`,
    caFile: `${etc}/ca/rootCA.crt`,
    certFile: `${etc}/certs/server.crt`,
    keyFile: `${etc}/certs/server.key`,
    databaseFile: `${root}/var/lib/kubeedge/edgecore.db`,
    stateDir: `${home}/state/edge`,
    joinFile: `${home}/join.yaml`,
    cniConfDir: `${root}/etc/cni/net.d`,
    cniBinDir: `${root}/opt/cni/bin`,
    cniSourceDir: `${product}/cni`,
    pauseArchive: `${product}/pause.tar`,
    edgecorePart: `${currentPart(home, 'edgecore')}/edgecore`,
    formerEdgecorePart: `${formerPart(home, 'edgecore')}/edgecore`,
    dockerBinDir,
    busybox,
    dockerSocket: `${runDir}/docker.sock`,
    containerdSocket: `${runDir}${rest.hasOwnContainerd === true ? '' : '/docker'}/containerd/containerd.sock`,
  };
}
