import type { Sample } from '../../agent/core/samples.ts';

/** A past of the load as a board could have had it: CPU and temperature rise and fall, the disk fills slowly. */
export function loadSamples(count: number, endMs: number): Sample[] {
  return Array.from({ length: count }, (_, index): Sample => {
    const wave = Math.sin(index / 6);
    return {
      atMs: endMs - (count - 1 - index) * 60_000,
      cpuPercent: 35 + 30 * wave,
      load: 1 + wave / 2,
      memory: { totalBytes: 2_147_483_648, availableBytes: 1_288_490_188 - index * 2_000_000 },
      temperatureC: 52 + 6 * wave,
      disks: [
        {
          path: '/data',
          totalBytes: 16_000_000_000,
          freeBytes: 9_000_000_000 - index * 10_000_000,
          totalInodes: 1,
          freeInodes: 1,
        },
      ],
      wear: [],
      writtenBytes: index,
      network: [],
      containers: { running: 3, paused: 0, stopped: 1 },
      self: { memoryBytes: 50_000_000, writtenBytes: 0 },
    };
  });
}
