import type { DiskSample, FlashWear, Sample } from '../core/samples.ts';
import type { ConditionFacts } from './board.ts';

/** Limits of one kind of pressure: it begins below `enter` and ends only above `leave`, so that it does not flutter. */
export interface PressureLimits {
  readonly enterPercent: number;
  readonly leavePercent: number;
}

/** Whether there is pressure now, and the words for it. */
export interface Pressure extends ConditionFacts {
  readonly isPressed: boolean;
}

/** Used life of the flash from which on it is called worn, in percent; the device itself tells in steps of ten. */
const wornPercent = 90;

/** Judges the memory that programs can still get. */
export function memoryPressure(memory: Sample['memory'], was: boolean, limits: PressureLimits): Pressure {
  const percent = share(memory.availableBytes, memory.totalBytes);
  const isPressed = pressed(percent, was, limits);
  const room = `${megabytes(memory.availableBytes)} of ${megabytes(memory.totalBytes)} memory are available (${percent} %)`;
  const message = isPressed ? `Only ${room}, want more than ${limits.leavePercent} %` : `${room}`;
  return { isPressed, reason: isPressed ? 'LowMemory' : 'EnoughMemory', message };
}

/** Judges the fullest of the watched file systems, by bytes and by inodes. */
export function diskPressure(disks: readonly DiskSample[], was: boolean, limits: PressureLimits): Pressure {
  const rooms = disks.map((disk) => ({ disk, ...tightest(disk) })).sort((a, b) => a.percent - b.percent);
  const worst = rooms[0];
  if (worst === undefined) {
    return { isPressed: false, reason: 'NothingWatched', message: 'No file system is watched' };
  }
  const isPressed = pressed(worst.percent, was, limits);
  const room = `${worst.percent} % of the ${worst.of} of "${worst.disk.path}" are free`;
  const left = `${room} (${megabytes(worst.disk.freeBytes)})`;
  const message = isPressed
    ? `Only ${left}, want more than ${limits.leavePercent} %; \`docker system prune\` frees unused images`
    : left;
  return { isPressed, reason: isPressed ? 'LowDisk' : 'EnoughDisk', message };
}

/** Share of the bound below which the agent's own memory counts as small again, in percent. */
const ownLeavePercent = 90;

/** Judges the agent's own resident memory against its bound in bytes. */
export function ownPressure(bytes: number, was: boolean, maxBytes: number): Pressure {
  const limit = was ? (maxBytes * ownLeavePercent) / 100 : maxBytes;
  const isPressed = bytes > limit;
  const facts = `The agent itself has ${megabytes(bytes)} resident`;
  const message = isPressed
    ? `${facts}, want at most ${megabytes(maxBytes)}; it starts itself anew if that lasts, the units run on`
    : facts;
  return { isPressed, reason: isPressed ? 'AgentTooLarge' : 'AgentSmall', message };
}

/** Judges the age of the flash; undefined where no device tells. */
export function flashHealth(
  wear: readonly FlashWear[],
): (ConditionFacts & { readonly isWorn: boolean }) | undefined {
  if (wear.length === 0) return undefined;
  const worn = wear.find(
    ({ usedLifePercent, reserve }) => (usedLifePercent ?? 0) >= wornPercent || reserve === 'urgent',
  );
  const words = wear.map(
    ({ device, usedLifePercent, reserve }) =>
      `${device}: at most ${usedLifePercent ?? '?'} % of its life used, reserve ${reserve ?? 'unknown'}`,
  );
  const fix = worn === undefined ? '' : '; save what matters and replace the module';
  return {
    isWorn: worn !== undefined,
    reason: worn === undefined ? 'FlashGood' : 'FlashWorn',
    message: `${words.join('; ')}${fix}`,
  };
}

function tightest(disk: DiskSample): { readonly percent: number; readonly of: 'bytes' | 'inodes' } {
  const bytes = share(disk.freeBytes, disk.totalBytes);
  // f2fs and btrfs count no inodes.
  if (disk.totalInodes === 0) return { percent: bytes, of: 'bytes' };
  const inodes = share(disk.freeInodes, disk.totalInodes);
  return inodes < bytes ? { percent: inodes, of: 'inodes' } : { percent: bytes, of: 'bytes' };
}

function pressed(percent: number, was: boolean, limits: PressureLimits): boolean {
  return was ? percent <= limits.leavePercent : percent < limits.enterPercent;
}

/** Percent with one decimal; a total of nothing has everything free. */
function share(part: number, total: number): number {
  return total <= 0 ? 100 : Math.round((1_000 * part) / total) / 10;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}
