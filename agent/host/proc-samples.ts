import fs from 'node:fs';
import { statfs } from 'node:fs/promises';
import os from 'node:os';
import type { DiskSample, FlashWear, Inventory, NetworkSample, Sample, Samples } from '../core/samples.ts';
import {
  busyPercent,
  type CpuTicks,
  parseCpuTicks,
  parseLoad,
  parseMemory,
  parseNetwork,
  parseProcessWrites,
  parseReserve,
  parseSystemName,
  parseTemperature,
  parseUsedLife,
  parseWrittenBytes,
} from './proc-text.ts';

/** Where to look. */
export interface ProcSamplesOptions {
  /** Paths whose file systems are watched; one that does not exist is left out. */
  readonly disks: readonly string[];
  /** Put before /proc, /sys and /etc; for tests. @default '' */
  readonly root?: string;
}

const systemNameFiles = ['/system/etc/param/ohos.para', '/etc/os-release', '/usr/lib/os-release'];

/**
 * Load of the board straight from /proc and /sys. The usual libraries start a program for half of this, and know no
 * platform called `openharmony`, so they would say nothing at all on some builds of Node.
 */
export class ProcSamples implements Samples {
  readonly #disks: readonly string[];
  readonly #root: string;
  #ticks: CpuTicks | undefined;

  constructor(options: ProcSamplesOptions) {
    this.#disks = options.disks;
    this.#root = options.root ?? '';
  }

  async inventory(): Promise<Inventory> {
    const name = systemNameFiles
      .map((file) => parseSystemName(this.#text(file)))
      .find((found) => found !== undefined);
    // The device tree ends its strings with a zero byte.
    const model = this.#text('/proc/device-tree/model').split('\0')[0] || undefined;
    await Promise.resolve();
    return {
      model,
      system: name,
      kernel: this.#text('/proc/sys/kernel/osrelease').trim(),
      arch: os.arch(),
      cores: os.availableParallelism(),
      memoryBytes: parseMemory(this.#text('/proc/meminfo')).totalBytes,
      bootId: this.#text('/proc/sys/kernel/random/boot_id').trim(),
    };
  }

  async sample(): Promise<Sample> {
    return {
      atMs: Date.now(),
      cpuPercent: this.#busy(),
      load: parseLoad(this.#text('/proc/loadavg')),
      memory: parseMemory(this.#text('/proc/meminfo')),
      temperatureC: this.#hottest(),
      disks: await this.#room(),
      wear: this.#wear(),
      writtenBytes: parseWrittenBytes(this.#text('/proc/diskstats')),
      network: this.#network(),
      self: {
        memoryBytes: process.memoryUsage.rss(),
        writtenBytes: parseProcessWrites(this.#text('/proc/self/io')),
      },
    };
  }

  #busy(): number | undefined {
    const before = this.#ticks;
    this.#ticks = parseCpuTicks(this.#text('/proc/stat'));
    return before === undefined || this.#ticks === undefined ? undefined : busyPercent(before, this.#ticks);
  }

  #hottest(): number | undefined {
    const degrees = this.#names('/sys/class/thermal')
      .filter((name) => name.startsWith('thermal_zone'))
      .map((name) => parseTemperature(this.#text(`/sys/class/thermal/${name}/temp`)))
      .filter((degree) => degree !== undefined);
    return degrees.length === 0 ? undefined : Math.max(...degrees);
  }

  async #room(): Promise<readonly DiskSample[]> {
    const samples = await Promise.all(this.#disks.map(roomAt));
    return samples.filter((sample) => sample !== undefined);
  }

  #wear(): readonly FlashWear[] {
    return this.#names('/sys/block')
      .filter((name) => /^mmcblk\d+$/.test(name))
      .map((device) => ({
        device,
        usedLifePercent: parseUsedLife(this.#text(`/sys/block/${device}/device/life_time`)),
        reserve: parseReserve(this.#text(`/sys/block/${device}/device/pre_eol_info`)),
      }))
      .filter(({ usedLifePercent, reserve }) => usedLifePercent !== undefined || reserve !== undefined);
  }

  #network(): readonly NetworkSample[] {
    return parseNetwork(this.#text('/proc/net/dev')).map((counters) => {
      const state = this.#text(`/sys/class/net/${counters.name}/operstate`).trim();
      // Tunnels and the like never say more than `unknown` while they work.
      return { ...counters, isUp: state === 'up' || state === 'unknown' };
    });
  }

  /** Text of a file of the kernel; empty where it is absent or refuses. */
  #text(file: string): string {
    try {
      return fs.readFileSync(this.#root + file, 'utf8');
    } catch {
      return '';
    }
  }

  #names(directory: string): readonly string[] {
    try {
      return fs.readdirSync(this.#root + directory);
    } catch {
      return [];
    }
  }
}

async function roomAt(path: string): Promise<DiskSample | undefined> {
  try {
    const room = await statfs(path);
    return {
      path,
      totalBytes: room.blocks * room.bsize,
      freeBytes: room.bavail * room.bsize,
      totalInodes: room.files,
      freeInodes: room.ffree,
    };
  } catch {
    return undefined;
  }
}
