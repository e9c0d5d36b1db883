/** Things that a kernel can do or not, each found out by doing it in scratch namespaces. */
export const kernelProbes = [
  'overlay',
  'overlay-data',
  'mqueue',
  'veth',
  'bridge',
  'bridge-filter',
  'nat',
  'addrtype',
  'conntrack',
  'raw',
  'devices-cgroup',
] as const;

export type KernelProbe = (typeof kernelProbes)[number];

/** What came of one probe: it worked, or what the kernel or the tool said; a probe without a result could not be tried. */
export type ProbeResults = ReadonlyMap<KernelProbe, { readonly isOk: boolean; readonly said: string }>;

/** Room on a filesystem. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freeInodes: number;
  /** 0 where the filesystem has no fixed number. */
  readonly totalInodes: number;
}

/** What the kernel probes work with. */
export interface ProbePlace {
  /** Directory of ours on the filesystem that containers will live on; the probe makes and removes one directory in it. */
  readonly dataDirectory: string;
  /** The iptables to be tried; without one its probes have no result. */
  readonly iptables: string | undefined;
}

/** A living process and the mounts that it sees. */
export interface ProcessNamespace {
  readonly name: string;
  readonly pid: number;
  /** Target of /proc/PID/ns/mnt. */
  readonly mounts: string;
}

/** Questions of the doctor that reading files does not answer. Each is bounded and leaves nothing behind. */
export interface GroundProbes {
  /** Text of /proc/config.gz; undefined where the kernel does not tell. */
  kernelConfig(): Promise<string | undefined>;
  /**
   * Tries what containers need in namespaces that are gone afterwards; rejects with TOOL_FAILED where it cannot try anything,
   * with TIMED_OUT where the board is too busy to tell.
   */
  kernel(place: ProbePlace): Promise<ProbeResults>;
  /** `prctl(PR_GET_SECUREBITS)` of this process; undefined where it cannot be asked. */
  securebits(): Promise<number | undefined>;
  /** Living processes that run one of these programs, by absolute path. */
  namespaces(programs: readonly string[]): readonly ProcessNamespace[];
  /** Undefined where the path does not exist. */
  room(path: string): DiskRoom | undefined;
  /** Whether a name server gives any answer within three seconds. */
  answersDns(server: string): Promise<boolean>;
  /** What a program prints as its version, first line; undefined where it does not run. */
  version(argv: readonly [string, ...string[]]): Promise<string | undefined>;
}
