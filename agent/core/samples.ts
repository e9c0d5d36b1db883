/** What does not change while the board runs. */
export interface Inventory {
  /** Board name of the device tree, e.g. `Rockchip RK3568 EVB`; undefined where there is none. */
  readonly model: string | undefined;
  /** Name of the system, e.g. `OpenHarmony-5.0.0.71` or what os-release says. */
  readonly system: string | undefined;
  readonly kernel: string;
  readonly arch: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly bootId: string;
}

/** Room on one file system. */
export interface DiskSample {
  readonly path: string;
  readonly totalBytes: number;
  /** What an unprivileged writer could still get. */
  readonly freeBytes: number;
  readonly totalInodes: number;
  readonly freeInodes: number;
}

/** Age of the flash as the eMMC itself says (JEDEC eMMC 5.1, EXT_CSD 267 to 269). */
export interface FlashWear {
  /** Block device, e.g. `mmcblk0`. */
  readonly device: string;
  /** Upper bound of used life in percent, 10 to 110 in steps of ten; undefined where the device does not say. */
  readonly usedLifePercent: number | undefined;
  /** Reserve blocks: `normal`, `warning` (80 % used), `urgent` (90 % used). */
  readonly reserve: 'normal' | 'warning' | 'urgent' | undefined;
}

/** Counters of one network interface since it came up. */
export interface NetworkSample {
  readonly name: string;
  readonly isUp: boolean;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Containers by state, as dockerd counts them. */
export interface ContainerCounts {
  readonly running: number;
  readonly paused: number;
  readonly stopped: number;
}

/** One look at the load of the board. */
export interface Sample {
  /** Wall clock in milliseconds. */
  readonly atMs: number;
  /** Busy share of all cores since the sample before, 0 to 100; undefined in the first one. */
  readonly cpuPercent: number | undefined;
  /** Load average over one minute. */
  readonly load: number;
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number };
  /** Hottest thermal zone in degrees Celsius. */
  readonly temperatureC: number | undefined;
  readonly disks: readonly DiskSample[];
  readonly wear: readonly FlashWear[];
  /** Bytes written to all block devices of the board since boot. */
  readonly writtenBytes: number;
  readonly network: readonly NetworkSample[];
  /** Absent while dockerd takes no questions. */
  readonly containers?: ContainerCounts;
  /** The agent itself. */
  readonly self: { readonly memoryBytes: number; readonly writtenBytes: number | undefined };
}

/** Reads /proc and /sys. Starts no process; what the kernel does not tell is left out, never an error. */
export interface Samples {
  inventory(): Promise<Inventory>;
  sample(): Promise<Sample>;
}
