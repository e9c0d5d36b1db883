import type { Finding } from '../../api/wire.ts';
import type { ObservedGround } from '../../core/ground-observed.ts';
import type { DiskRoom, GroundProbes } from '../../core/ground-probes.ts';
import { isWithin, isWritable, mountCovering } from '../mount-table.ts';
import type { GroundSettings } from '../settings.ts';
import { fine, found } from './finding.ts';

const leastFreeBytes = 268_435_456;
const goodFreeBytes = 1_073_741_824;
const leastFreeShare = 0.02;
/** Directories that OpenHarmony encrypts per user or per boot (storage_service libfscrypt, GLOBAL_FSCRYPT_DIR and el2 to el5). */
const encrypted = ['/data/service', '/data/app', '/data/chipset', '/data/vendor'];

/** The disk that images and containers live on. */
export function checkDisk(
  observed: ObservedGround,
  settings: GroundSettings,
  probes: GroundProbes,
): readonly Finding[] {
  const { dataRoot } = settings;
  const room = probes.room(dataRoot) ?? probes.room(settings.home) ?? probes.room('/data');
  return [
    ...(room === undefined ? [] : [checkSpace(dataRoot, room), checkInodes(dataRoot, room)]),
    checkPlace(observed, settings),
  ];
}

function checkSpace(dataRoot: string, room: DiskRoom): Finding {
  const title = 'There is room for images';
  const free = `${mebibytes(room.freeBytes)} of ${mebibytes(room.totalBytes)} MiB free at ${dataRoot}`;
  if (room.freeBytes >= goodFreeBytes) return fine('disk.space', title, free);
  return found('disk.space', title, {
    severity: room.freeBytes < leastFreeBytes ? 'error' : 'warning',
    seen: free,
    wanted: `at least ${mebibytes(goodFreeBytes)} MiB`,
    why: 'Pulls fail with "no space left on device", and databases of docker break when the disk fills',
    fix: 'docker system prune, or set dockerd.dataRoot to a larger disk',
  });
}

function checkInodes(dataRoot: string, room: DiskRoom): Finding {
  const title = 'There is room for files';
  if (room.totalInodes === 0) return fine('disk.inodes', title, 'no fixed number of inodes');
  const seen = `${room.freeInodes} of ${room.totalInodes} inodes free at ${dataRoot}`;
  if (room.freeInodes / room.totalInodes >= leastFreeShare) return fine('disk.inodes', title, seen);
  return found('disk.inodes', title, {
    severity: 'warning',
    seen,
    wanted: `at least ${leastFreeShare * 100} % free`,
    why: 'Layers with many small files fail with "no space left on device" although there is space',
    fix: 'docker system prune, or set dockerd.dataRoot to another disk',
  });
}

function checkPlace(observed: ObservedGround, settings: GroundSettings): Finding {
  const title = 'The data-root lies where containers can live';
  const { dataRoot } = settings;
  const mount = mountCovering(observed, dataRoot);
  const wrong = (seen: string, why: string): Finding =>
    found('disk.data-root', title, {
      severity: 'error',
      seen,
      wanted: 'a writable, unencrypted directory on ext4 or f2fs',
      why,
      fix: 'set dockerd.dataRoot, e.g. to /data/oh-edge-agent/docker',
    });
  const inside = encrypted.find((directory) => isWithin(dataRoot, directory));
  if (inside !== undefined) {
    return wrong(
      `${dataRoot} is below ${inside}`,
      'OpenHarmony encrypts it: "Required key not available" before the first unlock',
    );
  }
  if (!isWritable(observed, dataRoot)) return wrong(`${dataRoot} is read-only`, 'dockerd ends at start');
  if (mount?.fstype === 'tmpfs')
    return wrong(`${dataRoot} lies in memory (tmpfs)`, 'Images are gone after each boot and use up memory');
  return fine('disk.data-root', title, `${mount?.fstype ?? 'unknown'} from ${mount?.source ?? 'unknown'}`);
}

function mebibytes(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}
