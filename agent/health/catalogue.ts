/** What is known about a type of condition besides its state. */
export interface ConditionRow {
  /** What it is about, for people. */
  readonly title: string;
  /** Types that make this one bad as a mere consequence, nearest first. */
  readonly causes: readonly string[];
  /** Milliseconds that a bad state must last before anybody outside is bothered with it. */
  readonly visibleAfterMs: number;
}

const shortly = 2_000;
const untouched = { causes: [], visibleAfterMs: 0 } as const;

/** Conditions of this product. A type that is not listed has no causes and is visible at once. */
export const catalogue: Readonly<Record<string, ConditionRow>> = {
  KernelReady: { title: 'The kernel has what containers need', ...untouched },
  PartsVerified: { title: 'The programs on the board are those that were delivered', ...untouched },
  PartsSettled: { title: 'Parts that were updated have proved themselves', ...untouched },
  Prepared: {
    title: 'Mounts, cgroups and switches are in place',
    causes: ['KernelReady'],
    visibleAfterMs: 0,
  },
  ClockSynced: { title: 'The clock is right enough for TLS', causes: [], visibleAfterMs: shortly },
  NetworkReady: { title: 'There is a way out of the board', causes: [], visibleAfterMs: 10_000 },
  RoutesReady: {
    title: 'Containers reach the network',
    causes: ['NetworkReady', 'Prepared'],
    visibleAfterMs: shortly,
  },
  ContainerdReady: {
    title: 'containerd takes work',
    causes: ['PartsVerified', 'KernelReady', 'Prepared'],
    visibleAfterMs: shortly,
  },
  DockerReady: {
    title: 'dockerd takes work',
    causes: ['ContainerdReady', 'PartsVerified', 'KernelReady', 'Prepared'],
    visibleAfterMs: shortly,
  },
  CertificateValid: {
    title: "The node's certificate is accepted and not about to expire",
    causes: ['ClockSynced'],
    visibleAfterMs: 0,
  },
  EdgecoreReady: {
    title: 'edgecore runs and answers',
    causes: ['PartsVerified', 'Prepared', 'DockerReady'],
    visibleAfterMs: shortly,
  },
  CloudConnected: {
    title: 'edgecore has its session with the cloud',
    causes: ['EdgecoreReady', 'NetworkReady', 'ClockSynced', 'CertificateValid'],
    visibleAfterMs: 20_000,
  },
  DiskPressure: { title: 'There is room on the disk', ...untouched },
  AgentMemoryPressure: { title: 'The agent itself keeps to its share of memory', ...untouched },
  FlashHealthy: { title: 'The flash is not worn out', ...untouched },
  MemoryPressure: { title: 'There is memory left', ...untouched },
};

/** Row of a type, also of one that nobody listed. */
export function rowOf(type: string): ConditionRow {
  return Object.hasOwn(catalogue, type) ? (catalogue[type] as ConditionRow) : { title: type, ...untouched };
}
