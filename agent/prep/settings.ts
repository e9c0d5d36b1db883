/** How the ground is to be, already parsed: the slice of the configuration that this room works with. */
export interface GroundSettings {
  /** `prep.root` */
  readonly root: 'auto' | 'image' | 'stock' | 'host';
  /** `prep.cgroup` */
  readonly cgroup: 'auto' | 'v1' | 'v2';
  /** `prep.intervalMs`: milliseconds between two looks. */
  readonly intervalMs: number;
  /** `prep.dns` */
  readonly dns: readonly string[];
  readonly routes: {
    readonly isEnabled: boolean;
    readonly subnets: readonly string[];
    /** First of the 100 priorities that are ours. */
    readonly priority: number;
  };
  /** `dockerd.dataRoot` */
  readonly dataRoot: string;
  /** Writable home of the product, e.g. /data/oh-edge-agent. */
  readonly home: string;
  /** Read-only directory of the product, e.g. /system/opt/oh-edge-agent. */
  readonly productDir: string;
  /** `dockerd.binDir` */
  readonly binDir: string;
  /** Static busybox that stands for the tools a board lacks. */
  readonly busybox: string;
}

/** Source of every tmpfs that is ours: mountinfo shows it, so that ours is told from anybody else's. */
export const mountMark = 'oh-edge-agent';

/** Where the new root of a stock image is put together before it becomes `/`. */
export function newRootPath(settings: GroundSettings): string {
  return `${settings.home}/run/newroot`;
}

/** Where the old root hangs between pivot_root and its lazy unmount, as seen from the new root. */
export const oldRootPath = '/.oh-edge-old';
