import type { NetworkSample } from '../core/samples.ts';

/** Ticks of all cores together since boot. */
export interface CpuTicks {
  readonly busy: number;
  readonly total: number;
}

/** Busy and total ticks from /proc/stat; undefined where the first line is not the sum of all cores. */
export function parseCpuTicks(text: string): CpuTicks | undefined {
  const words = text.split('\n', 1)[0]?.trim().split(/\s+/) ?? [];
  if (words[0] !== 'cpu') return undefined;
  // user nice system idle iowait irq softirq steal; guest times are inside user already.
  const ticks = words.slice(1, 9).map(Number);
  if (ticks.length < 4 || ticks.some((tick) => !Number.isFinite(tick))) return undefined;
  const total = ticks.reduce((sum, tick) => sum + tick, 0);
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

/** Busy share in percent between two looks, one decimal; undefined where no time has passed. */
export function busyPercent(before: CpuTicks, after: CpuTicks): number | undefined {
  const total = after.total - before.total;
  if (total <= 0) return undefined;
  const share = (100 * (after.busy - before.busy)) / total;
  return Math.round(Math.min(100, Math.max(0, share)) * 10) / 10;
}

/** Total and available bytes from /proc/meminfo. */
export function parseMemory(text: string): { totalBytes: number; availableBytes: number } {
  const kilobytes = new Map<string, number>();
  for (const match of text.matchAll(/^(\w+):\s+(\d+)(?: kB)?$/gm))
    kilobytes.set(match[1] ?? '', Number(match[2]));
  const part = (name: string): number => (kilobytes.get(name) ?? 0) * 1024;
  return { totalBytes: part('MemTotal'), availableBytes: part('MemAvailable') || part('MemFree') };
}

/** Load average over one minute from /proc/loadavg; 0 where it cannot be read. */
export function parseLoad(text: string): number {
  const load = Number.parseFloat(text);
  return Number.isFinite(load) ? load : 0;
}

/** Interfaces besides loopback from /proc/net/dev. Whether one is up is not in there. */
export function parseNetwork(text: string): readonly Omit<NetworkSample, 'isUp'>[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    const name = match?.[1];
    const counters = match?.[2]?.trim().split(/\s+/).map(Number) ?? [];
    if (name === undefined || name === 'lo' || counters.length < 9) return [];
    return [{ name, receivedBytes: counters[0] ?? 0, sentBytes: counters[8] ?? 0 }];
  });
}

/** Bytes written to whole devices since boot from /proc/diskstats: eMMC, SD, NVMe, virtio and SCSI disks. */
export function parseWrittenBytes(text: string): number {
  let sectors = 0;
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (/^(mmcblk\d+|nvme\d+n\d+|[sv]d[a-z]+)$/.test(words[2] ?? '')) sectors += Number(words[9] ?? 0);
  }
  // The kernel counts in 512 bytes whatever the device's own sector is (Documentation/admin-guide/iostats.rst).
  return sectors * 512;
}

/** Bytes that a process had written to storage, from /proc/PID/io; undefined where the kernel does not count. */
export function parseProcessWrites(text: string): number | undefined {
  const match = /^write_bytes: (\d+)$/m.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** Degrees Celsius of one thermal zone; some drivers say 0 or nonsense while the sensor is off. */
export function parseTemperature(text: string): number | undefined {
  const milli = Number.parseInt(text, 10);
  return Number.isFinite(milli) && milli > 0 && milli < 200_000 ? Math.round(milli / 100) / 10 : undefined;
}

/** Used life in percent from `life_time` of an eMMC, such as `0x02 0x01`: the worse of both areas. */
export function parseUsedLife(text: string): number | undefined {
  const steps = text
    .trim()
    .split(/\s+/)
    .map(Number)
    .filter((step) => step >= 1 && step <= 11);
  return steps.length === 0 ? undefined : Math.max(...steps) * 10;
}

/** State of the reserve blocks from `pre_eol_info` of an eMMC. */
export function parseReserve(text: string): 'normal' | 'warning' | 'urgent' | undefined {
  return ([undefined, 'normal', 'warning', 'urgent'] as const)[Number(text.trim())];
}

/** Name of the system from os-release or from OpenHarmony's parameter file; undefined where neither says it. */
export function parseSystemName(text: string): string | undefined {
  const match = /^(?:PRETTY_NAME|const\.ohos\.fullname)\s*=\s*"?([^"\n]{1,100})"?\s*$/m.exec(text);
  return match?.[1]?.trim();
}
